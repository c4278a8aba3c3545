"""The record of every training."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage import Database, TrainingOutcome, TrainingRun, TrainingRunRepository

pytestmark = pytest.mark.unit


@pytest.fixture
def runs(database: Database) -> TrainingRunRepository:
    return TrainingRunRepository(database)


def run(outcome: TrainingOutcome, started_at: float = 1.0) -> TrainingRun:
    return TrainingRun(started_at, started_at + 2.5, outcome, f"because {outcome}", None, '{"epochs": 3}')


def test_a_run_comes_back_exactly_under_its_id(runs: TrainingRunRepository) -> None:
    made = replace(run(TrainingOutcome.PROMOTED), model_id=4)
    run_id = runs.append(made)
    assert runs.last() == replace(made, id=run_id)


def test_before_the_first_run_there_is_none(runs: TrainingRunRepository) -> None:
    assert (runs.last(), runs.last_success(), runs.history(9)) == (None, None, [])


def test_every_outcome_is_counted_also_those_that_never_came(runs: TrainingRunRepository) -> None:
    assert runs.counts() == dict.fromkeys(TrainingOutcome, 0)
    for outcome in (TrainingOutcome.REFUSED, TrainingOutcome.REFUSED, TrainingOutcome.PROMOTED):
        runs.append(run(outcome))
    assert runs.counts() == {"promoted": 1, "refused": 2, "skipped": 0, "failed": 0}


def test_the_last_success_is_the_newest_promotion(runs: TrainingRunRepository) -> None:
    for moment, outcome in enumerate((TrainingOutcome.PROMOTED, TrainingOutcome.PROMOTED, TrainingOutcome.FAILED)):
        runs.append(run(outcome, float(moment)))
    success = runs.last_success()
    assert success is not None
    assert success.started_at == 1.0


def test_the_history_is_newest_first_and_bounded(runs: TrainingRunRepository) -> None:
    ids = [runs.append(run(TrainingOutcome.SKIPPED)) for _ in range(3)]
    assert [one.id for one in runs.history(2)] == [ids[2], ids[1]]


def test_hosts_do_not_see_each_other(database: Database, runs: TrainingRunRepository) -> None:
    runs.append(run(TrainingOutcome.FAILED))
    assert TrainingRunRepository(database, host_id=2).last() is None

"""Training-run repository."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage import Database, TrainingOutcome, TrainingRun, TrainingRunRepository
from tests.postgresql import ON_SQLITE

pytestmark = pytest.mark.unit


@pytest.fixture
def repository(database: Database) -> TrainingRunRepository:
    return TrainingRunRepository(database)


def training_run(outcome: TrainingOutcome, started_at: float = 1.0) -> TrainingRun:
    return TrainingRun(
        started_at=started_at,
        finished_at=started_at + 2.5,
        outcome=outcome,
        reason=f"because {outcome}",
        model_id=None,
        report_json='{"epochs": 3}',
    )


def test_append_stores_a_run_exactly(repository: TrainingRunRepository) -> None:
    run = replace(training_run(TrainingOutcome.PROMOTED), model_id=4)
    run_id = repository.append(run)
    assert repository.last() == replace(run, id=run_id)
    assert repository.last_id() == run_id


def test_empty_repository_has_no_runs(repository: TrainingRunRepository) -> None:
    assert (repository.last(), repository.last_success(), repository.last_id()) == (None, None, None)
    assert repository.last_trained() is None
    assert repository.history(9) == []


def test_counts_have_every_outcome(repository: TrainingRunRepository) -> None:
    assert repository.counts() == dict.fromkeys(TrainingOutcome, 0)
    for outcome in (TrainingOutcome.REFUSED, TrainingOutcome.REFUSED, TrainingOutcome.PROMOTED):
        repository.append(training_run(outcome))
    assert repository.counts() == {"promoted": 1, "refused": 2, "skipped": 0, "failed": 0}


def test_last_success_is_the_newest_promotion(repository: TrainingRunRepository) -> None:
    outcomes = (TrainingOutcome.PROMOTED, TrainingOutcome.PROMOTED, TrainingOutcome.FAILED)
    for started_at, outcome in enumerate(outcomes):
        repository.append(training_run(outcome, float(started_at)))
    success = repository.last_success()
    assert success is not None
    assert success.started_at == 1.0


def test_last_trained_is_the_newest_run_with_a_candidate(repository: TrainingRunRepository) -> None:
    outcomes = (TrainingOutcome.PROMOTED, TrainingOutcome.REFUSED, TrainingOutcome.SKIPPED, TrainingOutcome.FAILED)
    for started_at, outcome in enumerate(outcomes):
        repository.append(training_run(outcome, float(started_at)))
    trained = repository.last_trained()
    assert trained is not None
    assert trained.started_at == 1.0


@ON_SQLITE
def test_damaged_run_costs_that_run_only(database: Database, repository: TrainingRunRepository) -> None:
    for started_at in range(3):
        repository.append(training_run(TrainingOutcome.PROMOTED, float(started_at)))
    with database.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE training_runs SET report = replace(report, 'epochs', 'epochz') WHERE id = 2"
        )
        connection.exec_driver_sql("UPDATE training_runs SET outcome = 'promotee' WHERE id = 3")
    assert [(run.id, run.report_json) for run in repository.history()] == [(2, None), (1, '{"epochs": 3}')]
    last = repository.last()
    assert last is not None
    assert (last.id, repository.counts()[TrainingOutcome.PROMOTED]) == (2, 2)
    assert database.damaged_rows.counts() == {"training_runs": 1}


def test_history_is_newest_first_and_limited(repository: TrainingRunRepository) -> None:
    ids = [repository.append(training_run(TrainingOutcome.SKIPPED)) for _ in range(3)]
    assert [run.id for run in repository.history(2)] == [ids[2], ids[1]]


def test_repository_does_not_see_other_hosts(database: Database, repository: TrainingRunRepository) -> None:
    repository.append(training_run(TrainingOutcome.FAILED))
    assert TrainingRunRepository(database, host_id=2).last() is None

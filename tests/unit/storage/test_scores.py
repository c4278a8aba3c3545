"""Score repository."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage import Database, Onset, ScoreRepository, ScoreRow

pytestmark = pytest.mark.unit

ROW = ScoreRow(
    hour=3600.0,
    high_load=False,
    decile=2,
    unknown=1,
    scored=10,
    events=3,
    warnings=4,
    true_warnings=2,
    probability_sum=2.5,
    probability_squared_sum=0.75,
    probability_event_sum=1.25,
    baseline_squared_sum=0.5,
    baseline_event_sum=0.25,
)


@pytest.fixture
def repository(database: Database) -> ScoreRepository:
    return ScoreRepository(database)


def leads(repository: ScoreRepository, horizon: float, start: float) -> list[float | None]:
    return [onset.lead_time for onset in repository.onsets_since(horizon, start)]


def test_add_sums_rows_with_the_same_key(repository: ScoreRepository) -> None:
    repository.add(300.0, 5000.0, [ROW], [])
    repository.add(300.0, 6000.0, [ROW, replace(ROW, decile=5)], [])
    doubled = replace(
        ROW,
        unknown=2,
        scored=20,
        events=6,
        warnings=8,
        true_warnings=4,
        probability_sum=5.0,
        probability_squared_sum=1.5,
        probability_event_sum=2.5,
        baseline_squared_sum=1.0,
        baseline_event_sum=0.5,
    )
    assert repository.totals_since(300.0, 3600.0) == [doubled, replace(ROW, decile=5)]


def test_totals_since_sums_over_hours_by_state_and_decile(repository: ScoreRepository) -> None:
    rows = [ROW, replace(ROW, hour=7200.0), replace(ROW, hour=0.0), replace(ROW, high_load=True)]
    repository.add(300.0, 8000.0, rows, [])
    totals = repository.totals_since(300.0, 3600.0)
    assert [(row.hour, row.high_load, row.scored) for row in totals] == [(3600.0, False, 20), (3600.0, True, 10)]
    assert repository.totals_since(900.0, 0.0) == []


def test_scored_until_is_stored_per_horizon(repository: ScoreRepository) -> None:
    assert repository.scored_until() == {}
    repository.add(300.0, 5000.0, [], [])
    repository.add(300.0, 4000.0, [], [])
    repository.add(900.0, 7000.0, [], [])
    assert repository.scored_until() == {300.0: 4000.0, 900.0: 7000.0}


def test_add_keeps_the_first_lead_time_of_an_onset(repository: ScoreRepository) -> None:
    repository.add(300.0, 5000.0, [], [Onset(100.0, 60.0), Onset(200.0, None)])
    repository.add(300.0, 5000.0, [], [Onset(100.0, 30.0)])
    assert leads(repository, 300.0, 0.0) == [60.0, None]
    assert leads(repository, 300.0, 150.0) == [None]
    assert leads(repository, 900.0, 0.0) == []


def test_purge_deletes_old_sums_and_onsets(repository: ScoreRepository) -> None:
    repository.add(300.0, 9000.0, [ROW, replace(ROW, hour=7200.0)], [Onset(3700.0, 1.0), Onset(7300.0, 2.0)])
    repository.purge(7200.0)
    assert [row.scored for row in repository.totals_since(300.0, 0.0)] == [10]
    assert leads(repository, 300.0, 0.0) == [2.0]


def test_repository_does_not_see_other_hosts(database: Database, repository: ScoreRepository) -> None:
    repository.add(300.0, 9000.0, [ROW], [Onset(3700.0, 1.0)])
    other = ScoreRepository(database, host_id=2)
    assert (other.scored_until(), other.totals_since(300.0, 0.0), leads(other, 300.0, 0.0)) == ({}, [], [])


def test_purge_between_deletes_whole_hours_and_onsets_within(repository: ScoreRepository) -> None:
    rows = [replace(ROW, hour=hour) for hour in (0.0, 3600.0, 7200.0)]
    repository.add(
        300.0, 9000.0, rows, [Onset(3599.0, None), Onset(3600.0, 5.0), Onset(7300.0, 6.0), Onset(8000.0, 7.0)]
    )
    repository.purge_between(3600.0, 7300.0)
    assert repository.totals_since(300.0, 0.0)[0].scored == 20
    assert leads(repository, 300.0, 0.0) == [None, 7.0]
    assert repository.scored_until() == {300.0: 9000.0}


def test_replayed_scores_are_apart_and_do_not_advance_the_scoring(
    database: Database, repository: ScoreRepository
) -> None:
    replayed = ScoreRepository(database, replayed=True)
    replayed.add_replayed(300.0, [ROW], [Onset(3700.0, 60.0)])
    assert (repository.horizons(), leads(repository, 300.0, 0.0), repository.scored_until()) == ([], [], {})
    assert replayed.horizons() == [300.0]
    assert leads(replayed, 300.0, 0.0) == [60.0]
    replayed.purge_between(3600.0, 7200.0)
    assert (replayed.horizons(), leads(replayed, 300.0, 0.0)) == ([], [])


def test_scored_hours_are_those_with_scored_predictions(repository: ScoreRepository) -> None:
    rows = [ROW, replace(ROW, decile=3), replace(ROW, hour=7200.0, scored=0), replace(ROW, hour=10800.0)]
    repository.add(300.0, 14400.0, rows, [])
    assert repository.scored_hours(300.0, 0.0) == [3600.0, 10800.0]
    assert repository.scored_hours(300.0, 3601.0) == [10800.0]
    assert repository.scored_hours(900.0, 0.0) == []

"""Capacity state: newest resources and scores."""

import pytest

from monitor.config.capacity.section import CapacitySection
from monitor.queries.capacity import MIN_SCORED, capacity_scores, read_capacity
from monitor.stores import open_stores
from storage import OUTCOME_UNKNOWN, CapacityRow

pytestmark = pytest.mark.unit

NOW = 1_799_971_200.0
SECTION = CapacitySection(filesystem_limit=0.9)


def row(resource_id, at, probability=0.0, used=50.0):
    return CapacityRow(resource_id, at, used, used, 100.0, None, 0.9, probability, probability, None, 0.0, 0.0, 0.01)


@pytest.fixture
def stores():
    with open_stores("sqlite://") as opened:
        yield opened


def scored(stores, count, events):
    disk = stores.capacity.resource_id("filesystem", "/", "", NOW)
    times = [NOW - 900.0 * i for i in range(count)]
    stores.capacity.add([row(disk, at, float(i < events)) for i, at in enumerate(times)])
    stores.capacity.set_outcomes(disk, {at: int(i < events) for i, at in enumerate(times)})
    return disk


def test_state_has_present_resources_only_and_the_newer_of_two_with_one_name(stores):
    old = stores.capacity.resource_id("filesystem", "/data", "1", NOW - 600)
    new = stores.capacity.resource_id("filesystem", "/data", "2", NOW)
    gone = stores.capacity.resource_id("filesystem", "/gone", "3", NOW - 5000)
    stores.capacity.add([row(old, NOW - 600), row(new, NOW, used=95.0), row(gone, NOW - 5000)])
    state = read_capacity(stores, SECTION, 0.7, NOW)
    (resource,) = state.resources
    assert resource.row.resource_id == new
    assert resource.is_full
    assert (resource.limit, resource.horizon, state.threshold) == (0.9, 86400.0, 0.7)


def test_scores_of_perfect_predictions(stores):
    scored(stores, 200, 50)
    scores = {score.predictor: score for score in read_capacity(stores, SECTION, 0.7, NOW).scores}
    assert set(scores) == {"model", "predict_linear", "persistence", "base_rate"}
    assert (scores["model"].scored, scores["model"].events, scores["model"].unknown) == (200, 50, 0)
    assert (scores["model"].brier, scores["model"].skill, scores["model"].calibration_error) == (0, 1, 0)
    assert scores["predict_linear"].brier == 0.25


def test_scores_are_unknown_without_enough_outcomes_and_skill_without_an_event(stores):
    disk = scored(stores, MIN_SCORED - 1, 0)
    few = read_capacity(stores, SECTION, 0.7, NOW).scores[0]
    assert (few.scored, few.brier, few.skill, few.calibration_error) == (MIN_SCORED - 1, None, None, None)
    stores.capacity.add([row(disk, NOW - 900.0 * i) for i in (1000, 1001)])
    stores.capacity.set_outcomes(disk, {NOW - 900_000.0: 0, NOW - 900_900.0: OUTCOME_UNKNOWN})
    enough = read_capacity(stores, SECTION, 0.7, NOW).scores[0]
    assert (enough.scored, enough.unknown, enough.brier, enough.skill) == (MIN_SCORED, 1, 0, None)


def test_recent_scores_are_not_computed_again(stores):
    scored(stores, 10, 0)
    assert read_capacity(stores, SECTION, 0.7, NOW, scores=()).scores == ()


def test_scores_of_a_period_leave_out_earlier_predictions(stores):
    scored(stores, 200, 50)
    recent = capacity_scores(stores, NOW - 900.0 * 99)
    assert {score.predictor: (score.scored, score.events) for score in recent} == dict.fromkeys(
        ("model", "predict_linear", "persistence", "base_rate"), (100, 50)
    )
    assert capacity_scores(stores, NOW + 1) == ()

"""Capacity scores of the score report."""

import pytest

from monitor.documents.scores import CapacityScoresDocument
from monitor.queries.capacity import CapacityScore
from monitor.reports.capacity import capacity_score_blocks

pytestmark = pytest.mark.unit

SINCE = "2027-01-15"


def texts(*scores):
    return [str(block) for block in capacity_score_blocks(CapacityScoresDocument(scores=scores), SINCE)]


def test_scores_have_a_row_per_predictor(state):
    empty, title, table, memory = texts(*state.capacity.scores)
    assert (empty, title.startswith("predictions of full file systems")) == ("", True)
    _, model, line = table.splitlines()
    assert model.split() == ["filesystem", "1d", "model", "1000", "50", "10", "0.0200", "0.600", "0.015"]
    assert line.split()[2:] == ["predict_linear", "1000", "50", "10", "0.0800", "-0.600", "0.080"]
    assert memory == "memory 1h: 12 of 96 outcomes, not enough data yet"


def test_scores_without_a_passed_limit_conclude_nothing():
    score = CapacityScore("filesystem", 86_400.0, "model", 1000, 0, 0, 0.0001, None, 0.01)
    assert "nothing can be concluded" in texts(score)[-1]


def test_no_outcome_yet_is_reported_and_disabled_predictions_are_not():
    assert texts()[1].startswith(f"no capacity prediction made since {SINCE} has been scored yet")
    assert capacity_score_blocks(None, SINCE) == ()

"""Score documents."""

import pytest

from model.forecast.events import EventScore, HorizonScorecard, make_scorecard
from monitor.documents.scores import score_document, scorecard_document
from tests.unit.monitor.conftest import EVENT_SCORE, NOW

pytestmark = pytest.mark.unit


def test_score_document_has_scores_periods_and_reliability(overview):
    (horizon,) = overview.scores
    document = score_document(horizon)
    names = ("scored", "unknown", "base_rate", "brier", "skill", "onset_skill", "precision", "recall")
    assert [getattr(document, name) for name in names] == [getattr(horizon.score, name) for name in names]
    assert (document.high_load_periods, document.warned_periods, document.lead_time) == (5, 4, 240.0)
    assert [(row.scored, row.predicted, row.observed) for row in document.reliability] == [
        (100_000, 0.03, 0.02),
        (20_000, 0.85, 0.8),
    ]


def test_scorecard_document_lists_monitor_before_the_baselines():
    baseline = EventScore((NOW,) * 5, (None,) * 5, false_warnings=2, seconds=86_400.0, threshold=0.75)
    few = EventScore((NOW - 1000.0,), (500.0,))
    horizons = [HorizonScorecard(300.0, EVENT_SCORE, {"persistence": baseline}), HorizonScorecard(900.0, few, {})]
    document = scorecard_document(make_scorecard(horizons), NOW)
    first, second = document.horizons
    assert [score.predictor for score in first.scores] == ["monitor", "persistence"]
    monitor, persistence = first.scores
    assert (monitor.announced, monitor.periods, monitor.lead_time) == (4, 5, 240.0)
    assert monitor.lead_time_quartiles == (210.0, 255.0)
    assert (monitor.false_warnings, monitor.false_warnings_per_week, monitor.threshold) == (3, 6.0, None)
    assert (persistence.announced, persistence.lead_time, persistence.threshold) == (0, None, 0.75)
    assert [(horizon.horizon_name, horizon.enough_periods) for horizon in (first, second)] == [
        ("5m", True),
        ("15m", False),
    ]
    assert (document.any_horizon.announced, document.any_horizon.lead_time_quartiles) == (4, (210.0, 305.0))
    assert (document.since, document.periods_needed) == (NOW, 5)

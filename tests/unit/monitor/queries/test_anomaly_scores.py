"""Recent anomaly scores."""

import pytest

from monitor.queries.anomaly_scores import AnomalyScores

pytestmark = pytest.mark.unit


def test_scores_keep_the_rows_after_a_time():
    scores = AnomalyScores().append(60.0, 0.5, 0.1).append(120.0, 2.0, 1.5).append(180.0, 1.0, 0.7)
    recent = scores.after(60.0)
    assert recent.times.tolist() == [120.0, 180.0]
    assert recent.scores.tolist() == [2.0, 1.0]
    assert recent.evidence_ratios.tolist() == [1.5, 0.7]

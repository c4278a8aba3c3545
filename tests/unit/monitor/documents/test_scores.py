"""Score documents."""

import pytest

from monitor.documents.scores import score_document

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

"""Score report."""

from dataclasses import replace

import pytest

from monitor.documents.scores import CapacityScoresDocument, ScoreReportDocument, score_document
from monitor.reports.scores import score_report, scorecard_blocks
from tests.unit.monitor.conftest import NOW
from tests.unit.monitor.documents.samples import COUNTS, NO_SCORECARD, SCORECARD, STARTED_WARNING

pytestmark = pytest.mark.unit


def report(horizons=(), replayed=(), capacity=None):
    document = ScoreReportDocument(
        since=NOW - 1000,
        horizons=horizons,
        replayed=replayed,
        anomalies=COUNTS,
        warnings=(STARTED_WARNING,) if replayed else (),
        scorecard=SCORECARD if horizons else NO_SCORECARD,
        replayed_scorecard=SCORECARD if replayed else NO_SCORECARD,
        capacity=capacity,
    )
    return score_report(document)


def test_score_report_without_high_load_concludes_nothing(overview):
    horizons = tuple(replace(score_document(score), base_rate=0.0) for score in overview.scores)
    assert sum("nothing can be concluded" in str(block) for block in report(horizons).blocks) == 1


def test_scorecard_names_the_horizons_with_too_few_periods():
    assert str(scorecard_blocks(SCORECARD)[-1]).startswith("15m: fewer than 5 ")
    enough = replace(SCORECARD, horizons=SCORECARD.horizons[:1])
    assert len(scorecard_blocks(enough)) == len(scorecard_blocks(SCORECARD)) - 1


def test_scorecard_heading_names_baselines_only_next_to_baselines():
    (first, *others) = SCORECARD.horizons
    alone = replace(SCORECARD, horizons=(replace(first, scores=first.scores[:1]), *others))
    assert "baselines" in str(scorecard_blocks(SCORECARD)[0])
    assert "baselines" not in str(scorecard_blocks(alone)[0])


def test_score_report_matches_golden(overview, state, assert_golden):
    horizons = tuple(map(score_document, overview.scores))
    reports = {
        "scored": report(horizons, capacity=CapacityScoresDocument(state.capacity.scores)),
        "no outcomes": report(capacity=CapacityScoresDocument()),
        "replayed": report(replayed=horizons),
    }
    assert_golden("scores", reports)

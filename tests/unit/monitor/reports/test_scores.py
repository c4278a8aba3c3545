"""Score report."""

from dataclasses import replace

import pytest

from monitor.documents.scores import ScoreReportDocument, score_document
from monitor.reports.scores import score_report
from tests.unit.monitor.conftest import NOW
from tests.unit.monitor.documents.samples import COUNTS, STARTED_WARNING

pytestmark = pytest.mark.unit


def test_score_report_without_high_load_concludes_nothing(overview):
    horizons = tuple(replace(score_document(score), base_rate=0.0) for score in overview.scores)
    blocks = score_report(ScoreReportDocument(NOW - 1000, horizons, (), COUNTS, ())).blocks
    assert sum("nothing can be concluded" in str(block) for block in blocks) == 1


@pytest.mark.parametrize(("periods", "cautions"), [(0, 1), (4, 1), (5, 0)])
def test_score_report_with_few_high_load_periods_has_a_caution(overview, periods, cautions):
    horizons = tuple(replace(score_document(score), high_load_periods=periods) for score in overview.scores)
    blocks = score_report(ScoreReportDocument(NOW - 1000, horizons, (), COUNTS, ())).blocks
    assert sum("fewer than 5 high-load periods" in str(block) for block in blocks) == cautions


def test_score_report_matches_golden(overview, assert_golden):
    horizons = tuple(map(score_document, overview.scores))
    scored = score_report(ScoreReportDocument(NOW - 1000, horizons, (), COUNTS, ()))
    empty = score_report(ScoreReportDocument(NOW - 1000, (), (), COUNTS, ()))
    replayed = score_report(ScoreReportDocument(NOW - 1000, (), horizons, COUNTS, (STARTED_WARNING,)))
    assert_golden("scores", {"scored": scored, "no outcomes": empty, "replayed": replayed})

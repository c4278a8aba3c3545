"""Training report."""

from dataclasses import replace

import pytest

from monitor.documents.training import ReplayDocument, RetrainDocument
from monitor.reports.training import detector_text, retrain_report
from monitor.training.report import TrainingReport
from monitor.training.report_parts import DetectorReport, DetectorValidationReport
from storage import TrainingOutcome
from tests.unit.monitor.conftest import NOW, TRAINING_REPORT

pytestmark = pytest.mark.unit

DETECTOR = DetectorReport(
    at=NOW, metrics=("cpu_usage", "disk_busy"), step=60.0, validation=DetectorValidationReport(3, 30, 3.0, 2.0)
)
REFUSED = RetrainDocument(
    outcome=TrainingOutcome.REFUSED,
    reason="it is not better than persistence",
    model_id=4,
    dry_run=False,
    report=replace(TRAINING_REPORT, detector=DETECTOR),
)
SKIPPED = RetrainDocument(
    outcome=TrainingOutcome.SKIPPED,
    reason="no high load",
    model_id=None,
    dry_run=True,
    report=TrainingReport(NOW, NOW, 0, detector=DetectorReport(reason="too little history")),
)


def test_retrain_report_matches_golden(assert_golden):
    promoted = replace(SKIPPED, outcome=TrainingOutcome.PROMOTED, reason="", replayed=ReplayDocument(20_000, 2))
    documents = {
        "refused": REFUSED,
        "promoted": promoted,
        "skipped in a dry run": SKIPPED,
        "failed early": replace(SKIPPED, report=None),
    }
    assert_golden("retrain", {state: retrain_report(document) for state, document in documents.items()})


@pytest.mark.parametrize("detector", [None, DetectorReport()])
def test_detector_that_was_not_considered_has_no_text(detector):
    assert detector_text(detector) == ""

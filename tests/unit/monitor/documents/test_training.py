"""Documents of training runs."""

import pytest

from monitor.documents.training import retrain_document, run_document, run_summary
from monitor.training.retrain import RetrainResult
from storage import TrainingOutcome
from tests.unit.monitor.conftest import TRAINING_REPORT

pytestmark = pytest.mark.unit


def test_run_documents_have_the_fields_of_the_run(overview):
    run = overview.last_run
    document = run_document(run)
    assert document.report == run.report
    summary = run_summary(run)
    assert vars(summary) == {name: getattr(run, name) for name in vars(summary)}


@pytest.mark.parametrize("dry_run", [True, False])
def test_retrain_document_has_the_result(dry_run):
    result = RetrainResult(
        outcome=TrainingOutcome.REFUSED, reason="why", model_id=4, report=TRAINING_REPORT, error=None
    )
    document = retrain_document(result, dry_run=dry_run)
    assert (document.outcome, document.reason, document.model_id) == (TrainingOutcome.REFUSED, "why", 4)
    assert (document.dry_run, document.report) == (dry_run, TRAINING_REPORT)

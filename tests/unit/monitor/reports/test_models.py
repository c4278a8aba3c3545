"""Model reports."""

from dataclasses import replace

import pytest

from monitor.config.loader import Config
from monitor.documents.models import ActivationDocument, model_document, model_list_entry
from monitor.reports.models import activation_report, model_report, models_report
from monitor.training.bootstrap_model import pretrained_task
from monitor.training.report import ReportProblem
from tests.unit.monitor.conftest import NOW, TRAINING_REPORT

pytestmark = pytest.mark.unit


@pytest.fixture
def models(overview):
    """A serving model, an imported one, a pretrained one and one with an unusable report."""
    serving = overview.model
    imported = replace(TRAINING_REPORT, imported_from="web7", imported_at=NOW)
    pretrained = replace(TRAINING_REPORT, pretrained=pretrained_task(Config()))
    return (
        serving,
        replace(serving, id=4, promoted_at=None, report=imported),
        replace(serving, id=2, report=pretrained),
        replace(serving, id=1, report=None, report_problem=ReportProblem.NEWER_VERSION),
    )


def test_models_report_matches_golden(models, assert_golden):
    entries = [model_list_entry(model, 3) for model in models]
    assert_golden("models", {"list": models_report(entries), "empty registry": models_report([])})


def test_model_report_matches_golden(models, assert_golden):
    states = ("serving", "imported", "pretrained", "unusable report")
    reports = (model_report(model_document(model, 3)) for model in models)
    assert_golden("model", dict(zip(states, reports, strict=True)))


def test_activation_report_matches_golden(assert_golden):
    assert_golden("model_activation", {"activated": activation_report(ActivationDocument(3))})

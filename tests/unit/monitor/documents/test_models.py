"""Documents of registered models."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from monitor.config.loader import Config
from monitor.documents.models import (
    model_document,
    model_export_document,
    model_import_document,
    model_list_entry,
    model_summary,
)
from monitor.training.bootstrap_model import pretrained_task
from monitor.training.report import ReportProblem
from tests.unit.monitor.conftest import TRAINING_REPORT

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("active", "serving"), [(3, True), (4, False), (None, False)])
def test_model_documents_mark_the_serving_model(overview, active, serving):
    assert model_list_entry(overview.model, active).serving is serving
    assert model_document(overview.model, active).serving is serving


def test_model_summary_has_the_origin_of_the_model(overview):
    report = replace(TRAINING_REPORT, imported_from="web7", pretrained=pretrained_task(Config()))
    summary = model_summary(replace(overview.model, report=report))
    assert (summary.imported_from, summary.pretrained) == ("web7", True)


def test_model_document_has_the_problem_of_its_report(overview):
    unusable = replace(overview.model, report=None, report_problem=ReportProblem.NOT_JSON)
    document = model_document(unusable, 3)
    assert (document.report, document.report_problem, document.pretrained) == (None, ReportProblem.NOT_JSON, False)


@pytest.mark.parametrize(
    ("detector", "differences", "notes"), [(b"x", (), 0), (None, (), 1), (b"x", ("rules",), 1), (None, ("rules",), 2)]
)
def test_model_import_document_has_a_note_per_finding(detector, differences, notes):
    archive = SimpleNamespace(host="web1", created_at=5.0, detector=detector)
    result = SimpleNamespace(model_id=4, duplicate=False, archive=archive, task_differences=differences)
    document = model_import_document(result)
    assert (document.imported_from, document.detector, len(document.notes)) == ("web1", detector is not None, notes)


def test_model_export_document_has_the_size():
    document = model_export_document(3, Path("x.npz"), 12)
    assert (document.file, document.model_id, document.bytes) == ("x.npz", 3, 12)

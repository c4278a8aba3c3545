"""Stored models and training runs with their typed reports."""

import json
from dataclasses import replace

import pytest

from monitor.training.records import (
    CompletedRun,
    completed_run,
    read_active_model,
    read_model,
    read_usable_model,
    registered_model,
    stored_run,
)
from monitor.training.report import ReportProblem
from monitor.training.report_migration import VERSION
from storage import ModelRecord, TrainingOutcome, UnknownModelError
from tests.unit.monitor.conftest import NOW, REPORT, TRAINING_REPORT

pytestmark = pytest.mark.unit

RECORD = ModelRecord(3, NOW, "a" * 64, 10, TRAINING_REPORT.to_json(), None)


def test_registered_model_has_the_typed_report():
    model = registered_model(RECORD)
    assert (model.report, model.report_problem) == (TRAINING_REPORT, None)
    assert (model.trained_until, model.pretrained, model.imported_from) == (TRAINING_REPORT.to, False, None)


@pytest.mark.parametrize(
    ("report_json", "problem"),
    [
        ("{}", None),
        ("[]", ReportProblem.WRONG_TYPE),
        ("{", ReportProblem.NOT_JSON),
        (json.dumps(REPORT | {"version": VERSION + 1}), ReportProblem.NEWER_VERSION),
    ],
)
def test_registered_model_states_why_its_report_cannot_be_used(report_json, problem):
    model = registered_model(replace(RECORD, report_json=report_json))
    assert (model.report, model.report_problem) == (None, problem)
    assert (model.trained_until, model.pretrained, model.imported_from) == (NOW, False, None)


@pytest.mark.parametrize("report", [None, TRAINING_REPORT])
def test_completed_run_inverts_stored_run(report):
    run = CompletedRun(NOW, NOW + 1, TrainingOutcome.REFUSED, "why", 3, report, 7)
    assert completed_run(stored_run(run)) == run


def test_completed_run_has_no_report_if_it_cannot_be_used():
    run = stored_run(CompletedRun(NOW, NOW, TrainingOutcome.FAILED, "why", None, None))
    assert completed_run(replace(run, report_json='{"version": 99}')).report is None


def test_read_model_reads_from_the_registry(stores):
    assert read_active_model(stores) is None
    model_id = stores.registry.register(b"x", TRAINING_REPORT.to_json(), NOW)
    stores.registry.promote(model_id, NOW + 1)
    assert read_active_model(stores) == read_model(stores, model_id)
    assert read_active_model(stores).promoted_at == NOW + 1
    with pytest.raises(UnknownModelError):
        read_model(stores, model_id + 1)
    assert read_usable_model(stores, model_id + 1) is None

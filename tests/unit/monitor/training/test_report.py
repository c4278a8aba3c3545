"""Training report: stored form, versions, refusal of what is not a report."""

import json
from dataclasses import replace

import pytest

from monitor.training.report import ReportError, ReportProblem, TrainingReport
from monitor.training.report_migration import VERSION
from tests.unit.monitor.conftest import REPORT, TRAINING_REPORT

pytestmark = pytest.mark.unit


def test_report_from_json_inverts_to_json():
    assert TrainingReport.from_json(TRAINING_REPORT.to_json()) == TRAINING_REPORT


def test_report_states_its_version():
    assert json.loads(TRAINING_REPORT.to_json())["version"] == VERSION


def test_report_kept_is_the_kept_epoch():
    assert (TRAINING_REPORT.kept, TrainingReport(0.0, 1.0, 2).kept) == (TRAINING_REPORT.epochs[1], None)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({**REPORT, "version": VERSION + 1}, ReportProblem.NEWER_VERSION),
        ({**REPORT, "version": "1"}, ReportProblem.WRONG_TYPE),
        ({**REPORT, "samples": "many"}, ReportProblem.WRONG_TYPE),
        ({**REPORT, "kept_epoch": 3}, ReportProblem.WRONG_TYPE),
        ({**REPORT, "kept_epoch": None}, ReportProblem.WRONG_TYPE),
        ({**REPORT, "health": 3}, ReportProblem.WRONG_TYPE),
        ({**REPORT, "inputs": {"cpu_usage": {"edges": [1.0], "frequencies": [1.0]}}}, ReportProblem.WRONG_TYPE),
        ({}, ReportProblem.WRONG_TYPE),
        ([], ReportProblem.WRONG_TYPE),
        (None, ReportProblem.WRONG_TYPE),
    ],
)
def test_report_from_plain_refuses_with_a_reason(data, problem):
    with pytest.raises(ReportError) as caught:
        TrainingReport.from_plain(data)
    assert caught.value.problem == problem


def test_report_from_json_refuses_text_that_is_not_json():
    with pytest.raises(ReportError) as caught:
        TrainingReport.from_json("{")
    assert caught.value.problem == ReportProblem.NOT_JSON


def test_every_problem_has_a_message():
    assert all(problem.message for problem in ReportProblem)


def test_report_of_a_pretrained_model_needs_no_fit():
    plain = {"version": 1, "from": 1.0, "to": 1.0, "samples": 0, "features": 9}
    report = TrainingReport.from_plain(plain)
    assert (report, report.health) == (replace(TrainingReport(1.0, 1.0, 0), features=9), None)

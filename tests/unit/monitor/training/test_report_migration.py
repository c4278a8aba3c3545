"""Migration of training reports of older releases."""

import pytest

from monitor.training.report import ReportError, TrainingReport
from monitor.training.report_migration import VERSION, migrate
from tests.unit.monitor.conftest import REPORT, TRAINING_REPORT

pytestmark = pytest.mark.unit


def unversioned():
    """Return the report of the fixtures in the form of release 0.1."""
    report = {key: value for key, value in REPORT.items() if key not in {"version", "folds"}}
    horizons = [{key: value for key, value in row.items() if key != "blend_weights"} for row in report["horizons"]]
    shares = {"networks": 0.75, "load": 0.25, "prior": 0.0}
    return {**report, "horizons": [{**row, "shares": shares} for row in horizons]}


def test_unversioned_report_of_a_training_equals_the_versioned_one():
    assert TrainingReport.from_plain(unversioned()) == TRAINING_REPORT


def test_report_of_version_1_has_one_fold():
    report = {key: value for key, value in REPORT.items() if key != "folds"}
    assert TrainingReport.from_plain({**report, "version": 1}) == TRAINING_REPORT
    assert TrainingReport.from_plain({"version": 1, "from": 1.0, "to": 1.0, "samples": 0}).folds is None


def test_unversioned_report_of_a_pretrained_model_keeps_its_task():
    task = {"rules": [[["cpu_usage", 0.85]]], "sustained": 60.0, "horizons": [300.0], "step": 5.0, "precision": 0.8}
    report = TrainingReport.from_plain({"prior": task, "from": 1.0, "to": 1.0, "samples": 0, "features": 44})
    assert report.pretrained.rules == ((("cpu_usage", 0.85),),)
    assert (report.pretrained.step, report.health) == (5.0, None)


def test_bin_frequencies_of_the_inputs_are_renamed():
    inputs = {"cpu_usage": {"edges": [0.5], "shares": [0.25, 0.75]}}
    report = TrainingReport.from_plain({**unversioned(), "inputs": inputs})
    assert report.inputs["cpu_usage"].frequencies == (0.25, 0.75)


@pytest.mark.parametrize("detector", [{}, None])
def test_an_empty_detector_is_absent(detector):
    assert TrainingReport.from_plain({**unversioned(), "detector": detector}).detector is None


@pytest.mark.parametrize(("advice", "sentences"), [("lower it", ("lower it",)), ("", ()), ([""], ()), (None, ())])
def test_advice_becomes_a_tuple_of_sentences(advice, sentences):
    report = unversioned()
    assert TrainingReport.from_plain({**report, "health": {**report["health"], "advice": advice}}).health.advice == (
        sentences
    )


@pytest.mark.parametrize("key", ["horizons", "inputs", "health"])
@pytest.mark.parametrize("value", [3, "x", [3], {"a": 3}])
def test_values_of_an_unexpected_type_are_refused_and_never_crash(key, value):
    assert migrate({key: value}, 0)["version"] == VERSION
    with pytest.raises(ReportError):
        TrainingReport.from_plain({**unversioned(), key: value})

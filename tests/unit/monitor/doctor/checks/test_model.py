"""Tests of the checks of the serving model."""

from dataclasses import replace

import pytest

from monitor.config.loader import Config
from monitor.doctor.checks.model import assess_model_age, assess_model_bytes, assess_model_spacing, assess_task
from monitor.documents.doctor import CheckId, CheckStatus
from monitor.training.bootstrap_model import configured_task, pretrained_task
from monitor.training.records import RegisteredModel
from monitor.training.report import TrainingReport

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0
DAY = 86_400.0


def registered(created_at=NOW, **report):
    report = TrainingReport(created_at, created_at, 0, **report)
    return RegisteredModel(3, created_at, "a" * 64, 100, report, created_at)


def test_task_that_differs_from_the_configuration_is_a_warning():
    task = configured_task(Config())
    assert assess_task(registered(task=task), Config()).status is CheckStatus.OK
    result = assess_task(registered(task=replace(task, horizons=(60.0,))), Config())
    assert (result.status, "horizons" in result.message) == (CheckStatus.WARNING, True)


def test_model_that_cannot_be_loaded_is_a_failure_with_the_reason():
    result = assess_model_bytes(registered(), None, "damaged")
    assert (result.status, result.message) == (CheckStatus.FAILED, "damaged")


@pytest.mark.parametrize(
    ("spacing", "status"), [(5.0, CheckStatus.OK), (300.0, CheckStatus.WARNING), (1.0, CheckStatus.WARNING)]
)
def test_model_trained_at_another_spacing_is_a_warning(spacing, status):
    result = assess_model_spacing(spacing, 5.0)
    assert (result.check, result.status) == (CheckId.MODEL_SPACING, status)


def test_model_without_task_is_skipped():
    assert assess_task(registered(), Config()).status is CheckStatus.SKIPPED


def test_pretrained_model_for_another_interval_is_a_warning():
    pretrained = replace(pretrained_task(Config()), step=30.0)
    result = assess_task(registered(pretrained=pretrained), Config())
    assert (result.status, "step" in result.message) == (CheckStatus.WARNING, True)


@pytest.mark.parametrize(("age", "status"), [(0.0, CheckStatus.OK), (40 * DAY, CheckStatus.WARNING)])
def test_model_older_than_two_training_intervals_is_a_warning(overview, age, status):
    model = registered(NOW - age, task=configured_task(Config()))
    assert assess_model_age(model, replace(overview, at=NOW, model=model), Config()).status is status


def test_pretrained_model_states_what_the_first_training_waits_for(overview):
    model = registered(pretrained=configured_task(Config()))
    young = replace(overview, model=model, covered=60.0)
    result = assess_model_age(model, young, Config())
    assert (result.status, young.waiting_for in result.message) == (CheckStatus.OK, True)

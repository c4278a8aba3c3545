"""Tests of the checks of trainings and predictions."""

from dataclasses import replace

import pytest

from model.forecast.events import EventScore
from monitor.doctor.checks.quality import assess_drift, assess_gradients, assess_skill, assess_trainings
from monitor.documents.doctor import CheckStatus
from monitor.queries.overview import ServingFallback
from monitor.queries.scores import HorizonScore
from monitor.training.records import CompletedRun

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0


def runs(*outcomes, report=None):
    return [CompletedRun(NOW, NOW + 1, outcome, "reason", None, report) for outcome in outcomes]


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ({}, CheckStatus.SKIPPED),
        (("refused", "refused", "promoted"), CheckStatus.OK),
        (("refused", "refused", "refused", "promoted"), CheckStatus.WARNING),
        (("failed", "promoted"), CheckStatus.FAILED),
    ],
)
def test_trainings_are_assessed_by_runs_without_promotion(outcomes, status):
    assert assess_trainings(runs(*outcomes)).status is status


def test_gradients_are_skipped_without_a_network():
    assert assess_gradients(runs("skipped")).status is CheckStatus.SKIPPED


def test_gradients_are_those_of_the_newest_run_with_a_network(overview):
    report = overview.last_run.report
    assert assess_gradients([*runs("skipped"), *runs("promoted", report=report)]).status is CheckStatus.OK


@pytest.mark.parametrize(
    ("state", "advice", "fix"),
    [
        ("exploding", ("lower the learning rate",), "lower the learning rate"),
        ("vanishing", (), "MonitorTrainingUnhealthy"),
    ],
)
def test_unhealthy_gradients_are_a_warning_with_advice_or_runbook(overview, state, advice, fix):
    report = overview.last_run.report
    health = replace(report.health, state=state, advice=advice)
    result = assess_gradients(runs("promoted", report=replace(report, health=health)))
    assert (result.status, fix in result.fix) == (CheckStatus.WARNING, True)


@pytest.mark.parametrize(
    ("skill", "scored", "status"),
    [
        (0.4, 5000, CheckStatus.OK),
        (-0.1, 5000, CheckStatus.WARNING),
        (-0.1, 10, CheckStatus.SKIPPED),
        (None, 5000, CheckStatus.SKIPPED),
    ],
)
def test_negative_skill_is_a_warning_once_enough_is_scored(overview, skill, scored, status):
    score = replace(overview.scores[0].score, skill=skill, scored=scored)
    assert assess_skill([HorizonScore(300.0, score, EventScore())], ()).status is status


def test_skill_names_fallbacks(overview):
    result = assess_skill(overview.scores, [ServingFallback(300.0, "calm", "persistence")])
    assert (result.status, "persistence at 5m" in result.message) == (CheckStatus.WARNING, True)


@pytest.mark.parametrize(
    ("drift", "status"),
    [
        ({"cpu_usage": 0.05, "memory_usage": 0.5}, CheckStatus.WARNING),
        ({"cpu_usage": 0.05}, CheckStatus.OK),
        ({}, CheckStatus.SKIPPED),
    ],
)
def test_large_drift_is_a_warning(overview, drift, status):
    assert assess_drift(replace(overview, drift=drift)).status is status

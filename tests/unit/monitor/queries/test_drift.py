"""Input drift."""

from dataclasses import replace

import pytest

from monitor.queries.drift import DRIFT_THRESHOLD, read_drift
from monitor.training.records import RegisteredModel
from monitor.training.report import TrainingReport
from monitor.training.report_parts import InputDistribution
from storage import Sample
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

CALM = InputDistribution(edges=(0.5,), frequencies=(0.9, 0.1))
REPORT = TrainingReport(NOW, NOW, 0, inputs={"cpu_usage": CALM, "swap_usage": CALM})
MODEL = RegisteredModel(1, NOW, "a" * 64, 10, REPORT, NOW)


def fill(stores, high_ratio):
    """Store a sample per minute of a day; every tenth slot of each hour is read."""
    high_count = round(10 * high_ratio)
    stores.samples.append_many(
        Sample(NOW - 60.0 * i, cpu_usage=0.9 if i % 10 < high_count else 0.1) for i in range(24 * 60)
    )


def test_drift_is_small_for_the_training_distribution(stores):
    fill(stores, 0.1)
    assert read_drift(stores, MODEL, NOW)["cpu_usage"] < DRIFT_THRESHOLD


def test_drift_is_large_for_another_distribution_and_absent_without_samples(stores):
    fill(stores, 0.8)
    drift = read_drift(stores, MODEL, NOW)
    assert drift["cpu_usage"] > DRIFT_THRESHOLD
    assert "swap_usage" not in drift


@pytest.mark.parametrize("model", [None, replace(MODEL, report=None), replace(MODEL, report=TrainingReport(1, 2, 3))])
def test_drift_is_empty_without_a_training_distribution(stores, model):
    assert read_drift(stores, model, NOW) == {}

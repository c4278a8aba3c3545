"""Tests of the retraining schedule."""

from dataclasses import replace

import pytest

from monitor.config.schema import TrainingConfig
from monitor.training.records import CompletedRun
from monitor.training.schedule import next_retrain

pytestmark = pytest.mark.unit

TRAINING = TrainingConfig(interval=3600.0, min_history=1200.0, timeout=5.0)
RUN = CompletedRun(50.0, 51.0, "promoted", "", None, None)


def test_next_retrain_depends_on_the_serving_model():
    assert next_retrain(TRAINING, None, "none") is None
    assert next_retrain(TRAINING, RUN, "well") == 3650.0
    assert next_retrain(TRAINING, RUN, "none") == 170.0
    assert next_retrain(replace(TRAINING, interval=7 * 86400.0), RUN, "behind") == 86450.0


@pytest.mark.parametrize(("history", "due"), [(100.0, 1850.0), (8000.0, 2050.0), (40_000.0, 3650.0)])
def test_next_retrain_renews_model_when_its_history_has_grown_by_a_quarter(history, due, overview):
    assert (
        next_retrain(TRAINING, replace(RUN, report=replace(overview.last_run.report, from_=0.0, to=history)), "well")
        == due
    )

"""Tests of the retraining schedule."""

from dataclasses import replace

import pytest

from model.units import DAY
from monitor.config.schema import TrainingSection
from monitor.system.formatting import approximate_duration
from monitor.training.records import CompletedRun
from monitor.training.schedule import ServingState, insufficient_history, next_retrain
from storage import TrainingOutcome

pytestmark = pytest.mark.unit

TRAINING = TrainingSection(interval=3600.0, min_history=1200.0, timeout=5.0)
RUN = CompletedRun(50.0, 51.0, TrainingOutcome.PROMOTED, "", None, None)


def test_next_retrain_depends_on_the_serving_model():
    assert next_retrain(TRAINING, None, None, ServingState.NO_FITTED_MODEL) is None
    assert next_retrain(TRAINING, RUN, RUN, ServingState.MODEL) == 3650.0
    assert next_retrain(TRAINING, RUN, RUN, ServingState.NO_FITTED_MODEL) == 170.0
    assert next_retrain(replace(TRAINING, interval=7 * 86400.0), RUN, RUN, ServingState.FALLBACK) == 86450.0


@pytest.mark.parametrize(("history", "due"), [(100.0, 1850.0), (8000.0, 2050.0), (40_000.0, 3650.0)])
def test_next_retrain_renews_model_when_its_history_has_grown_by_a_quarter(history, due, overview):
    run = replace(RUN, report=replace(overview.last_run.report, from_=0.0, to=history))
    assert next_retrain(TRAINING, run, run, ServingState.MODEL) == due


@pytest.mark.parametrize(
    ("started_at", "serving", "due"),
    [
        (1000.0, ServingState.MODEL, 50.0 + 14 * DAY),
        (1000.0, ServingState.FALLBACK, 50.0 + DAY),
        (1000.0, ServingState.NO_FITTED_MODEL, 1120.0),
        (50.0 + 14 * DAY, ServingState.MODEL, 50.0 + 15 * DAY),
    ],
)
def test_next_retrain_follows_the_last_trained_model_after_a_skipped_run(started_at, serving, due):
    skipped = replace(RUN, started_at=started_at, outcome=TrainingOutcome.SKIPPED)
    config = replace(TRAINING, interval=14 * DAY)
    assert next_retrain(config, skipped, RUN, serving) == due


def test_next_retrain_is_tried_again_after_a_day_if_no_run_trained_a_model():
    skipped = replace(RUN, outcome=TrainingOutcome.SKIPPED)
    assert next_retrain(replace(TRAINING, interval=14 * DAY), skipped, None, ServingState.MODEL) == 50.0 + DAY


def test_insufficient_history_states_both_durations():
    message = insufficient_history(725.0, 7200.0)
    assert approximate_duration(725.0) in message
    assert approximate_duration(7200.0) in message

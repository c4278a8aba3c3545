"""Overview and rules on its age."""

from dataclasses import replace

import pytest

from monitor.queries.overview import max_prediction_age, max_sample_age
from storage import Prediction, TrainingOutcome
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("interval", "age"), [(1.0, 10.0), (5.0, 15.0)])
def test_max_sample_age_is_three_intervals_and_at_least_ten_seconds(interval, age):
    assert max_sample_age(interval) == age


@pytest.mark.parametrize(
    ("interval", "horizons", "age"),
    [(5.0, (300.0, 900.0), 15.0), (1.0, (300.0, 900.0), 15.0), (1.0, (3600.0,), 70.0), (60.0, (300.0,), 180.0)],
)
def test_max_prediction_age_counts_from_the_time_of_the_next_prediction(interval, horizons, age):
    assert max_prediction_age(interval, horizons) == age


@pytest.mark.parametrize(
    ("running", "age", "sampling"), [(True, 1.0, True), (True, 60.0, False), (False, 1.0, False)]
)
def test_sampling_needs_a_daemon_and_a_recent_sample(overview, running, age, sampling):
    state = replace(overview, daemon_running=running, at=overview.last_sample.at + age)
    assert state.sampling is sampling


def test_fresh_predictions_leave_out_old_ones(overview):
    old = Prediction(NOW - 60, 900.0, 3, 0.5, 0.1, 0.6)
    state = replace(overview, predictions=(*overview.predictions, old))
    assert state.fresh_predictions == overview.predictions


def test_prediction_for_a_long_horizon_stands_for_a_minute(overview):
    prediction = Prediction(NOW - 60, 3600.0, 3, 0.5, 0.1, 0.6, high_load_since=NOW - 90)
    state = replace(overview, at=NOW, predictions=(prediction,))
    assert (state.fresh_predictions, state.high_load_since) == ((prediction,), NOW - 90)
    later = replace(state, at=NOW + max(2 * state.interval, 10.0) + 0.1)
    assert (later.fresh_predictions, later.high_load_since) == ((), None)


def test_waiting_for_names_the_last_unsuccessful_training(overview):
    run = replace(overview.last_run, outcome=TrainingOutcome.SKIPPED, reason="no high load")
    state = replace(overview, model=None, last_run=run)
    assert "no high load" in state.waiting_for
    assert "no high load" not in replace(state, next_retrain_at=NOW - 1).waiting_for


def test_waiting_for_leaves_out_a_lack_of_history_that_has_ended(overview):
    run = replace(overview.last_run, outcome=TrainingOutcome.SKIPPED, reason="15 s of the required 2 h", report=None)
    assert replace(overview, model=None, last_run=run).waiting_for == "enough history, a training run is due"

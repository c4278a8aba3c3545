"""Stored state of the whole."""

from dataclasses import replace

import pytest

from monitor.config.loader import Config
from monitor.queries.status import ServingFallback, max_sample_age, read_overview
from monitor.training.records import CompletedRun, stored_run
from storage import Prediction, Sample, TrainingOutcome
from tests.unit.monitor.conftest import NOW, TRAINING_REPORT

pytestmark = pytest.mark.unit

CONFIG = Config()
INTERVAL = CONFIG.sampling.interval


REPORT = replace(TRAINING_REPORT, from_=NOW - 90 * 86400)


@pytest.fixture
def fitted(stores):
    """A database with a serving model of this host and the run that promoted it."""
    model_id = stores.registry.register(b"model", REPORT.to_json(), NOW - 900)
    stores.registry.promote(model_id, NOW - 900)
    run = CompletedRun(NOW - 950, NOW - 900, TrainingOutcome.PROMOTED, "", model_id, REPORT)
    stores.runs.append(stored_run(run))
    return stores


@pytest.mark.parametrize(("interval", "age"), [(1.0, 10.0), (5.0, 15.0)])
def test_max_sample_age_is_three_intervals_and_at_least_ten_seconds(interval, age):
    assert max_sample_age(interval) == age


def test_overview_of_an_empty_database_waits_for_history(stores):
    overview = read_overview(stores, CONFIG, NOW)
    assert (overview.last_sample, overview.model, overview.last_run, overview.covered) == (None, None, None, 0.0)
    assert (overview.sampling, overview.daemon_running, overview.next_retrain_at) == (False, False, None)
    assert overview.waiting_for


def test_overview_has_model_runs_and_next_retraining(fitted):
    overview = read_overview(fitted, CONFIG, NOW)
    assert (overview.model.report, overview.last_run.report) == (REPORT, REPORT)
    assert overview.last_success == overview.last_run
    assert overview.runs[TrainingOutcome.PROMOTED] == 1
    assert overview.next_retrain_at > overview.last_run.started_at
    assert overview.waiting_for == ""


def test_overview_has_fallbacks_which_bring_the_retraining_forward(fitted):
    before = read_overview(fitted, CONFIG, NOW)
    fitted.registry.set_fallbacks(1, {"300": {"calm": "current value"}})
    overview = read_overview(fitted, CONFIG, NOW, before)
    assert overview.fallbacks == (ServingFallback(300.0, "calm", "current value"),)
    assert overview.next_retrain_at < before.next_retrain_at


def test_overview_separates_samples_in_the_future(stores):
    stores.samples.append_many([Sample(NOW - 5, cpu_usage=0.5), Sample(NOW + 86400, cpu_usage=0.5)])
    overview = read_overview(stores, CONFIG, NOW)
    assert (overview.last_sample.at, overview.future_at) == (NOW - 5, NOW + 86400)


def test_overview_takes_unchanged_parts_from_an_earlier_one(fitted):
    before = read_overview(fitted, CONFIG, NOW)
    marked = replace(before, drift={"cpu_usage": 9.0})
    assert read_overview(fitted, CONFIG, NOW + 60, marked).drift == {"cpu_usage": 9.0}
    assert read_overview(fitted, CONFIG, NOW + 60, marked).model is before.model
    assert read_overview(fitted, CONFIG, NOW + 4000, marked).drift == {}


def test_overview_reads_again_after_another_training(fitted):
    before = read_overview(fitted, CONFIG, NOW)
    run = CompletedRun(NOW, NOW + 1, TrainingOutcome.FAILED, "out of memory", None, None)
    fitted.runs.append(stored_run(run))
    overview = read_overview(fitted, CONFIG, NOW + 2, before)
    assert (overview.last_run.outcome, overview.last_success.id) == (TrainingOutcome.FAILED, before.last_run.id)


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


def test_waiting_for_names_the_last_unsuccessful_training(overview):
    run = replace(overview.last_run, outcome=TrainingOutcome.SKIPPED, reason="no high load")
    state = replace(overview, model=None, last_run=run)
    assert "no high load" in state.waiting_for
    assert "no high load" not in replace(state, next_retrain_at=NOW - 1).waiting_for

"""Reading of the overview."""

from dataclasses import replace

import pytest

from monitor.config.loader import Config
from monitor.queries.overview import ServingFallback
from monitor.queries.status import read_overview
from monitor.training.records import CompletedRun, stored_run
from storage import Sample, TrainingOutcome
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


def test_skipped_run_does_not_postpone_the_next_retraining(fitted):
    before = read_overview(fitted, CONFIG, NOW)
    skipped = CompletedRun(NOW, NOW + 1, TrainingOutcome.SKIPPED, "not enough history", None, None)
    fitted.runs.append(stored_run(skipped))
    after = read_overview(fitted, CONFIG, NOW + 2, before)
    assert after.next_retrain_at == before.next_retrain_at
    assert read_overview(fitted, CONFIG, NOW + 3, after).next_retrain_at == before.next_retrain_at


def test_overview_has_fallbacks_which_bring_the_retraining_forward(fitted):
    before = read_overview(fitted, CONFIG, NOW)
    fitted.registry.set_fallbacks(1, {"300": {"calm": "current value"}})
    overview = read_overview(fitted, CONFIG, NOW, before)
    assert overview.fallbacks == (ServingFallback(300.0, "calm", "current value"),)
    assert overview.next_retrain_at < before.next_retrain_at


def test_overview_has_the_metrics_outside_their_training_range(fitted):
    fitted.registry.set_inputs_out_of_range(1, ("memory_usage",))
    assert read_overview(fitted, CONFIG, NOW).inputs_out_of_range == ("memory_usage",)


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

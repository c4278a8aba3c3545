"""Status document."""

from dataclasses import replace

import pytest

from model.serving import REDUCED_MODEL, Serving, ServingReason
from monitor.documents.status import daemon_status_document, status_document
from monitor.queries.detection import DetectionState
from monitor.queries.overview import ServingFallback
from storage import AnomalyRecord
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit


def test_status_of_the_command_has_the_database_and_no_live_values(overview):
    document = status_document(overview, "x.db")
    assert (document.database, document.version, document.high_load, document.samples_missed) == (
        "x.db",
        None,
        False,
        None,
    )
    assert document.high_load_since is None
    assert document.history.covered_seconds == overview.covered
    assert document.last_sample == overview.last_sample
    assert document.retrain.last_success_at == overview.last_success.finished_at


def test_status_of_the_command_states_high_load_as_of_the_newest_prediction(overview):
    predictions = tuple(replace(p, warning=False, high_load_since=NOW - 300) for p in overview.predictions)
    high = status_document(replace(overview, predictions=predictions))
    assert (high.high_load, high.high_load_since) == (True, NOW - 300)
    outdated = status_document(replace(overview, predictions=predictions, at=NOW + 60))
    assert (outdated.high_load, outdated.high_load_since) == (None, None)


def test_status_marks_outdated_predictions(overview):
    document = status_document(replace(overview, at=NOW + 60))
    assert (document.predictions, document.predictions_outdated, document.sampling) == ((), True, False)
    empty = status_document(replace(overview, predictions=()))
    assert (empty.predictions, empty.predictions_outdated) == ((), False)


def test_status_of_a_host_without_model_and_training(overview):
    document = status_document(replace(overview, model=None, last_run=None, last_success=None, covered=60.0))
    assert (document.model, document.last_training, document.retrain.last_success_at) == (None, None, None)
    assert document.waiting_for


def test_status_has_fallbacks_and_the_active_event(overview):
    event = AnomalyRecord(NOW - 600, None, 0.9, NOW - 120, "joint", {"cpu_usage": 1.0}, 3, id=4)
    fallbacks = (ServingFallback(300.0, "high", "holt-winters"),)
    detection = DetectionState(active=event, recent=2, allowed=2.0, detecting=True)
    document = status_document(replace(overview, fallbacks=fallbacks, detection=detection))
    assert document.fallbacks == fallbacks
    assert (document.anomalies.active.id, document.anomalies.last_30_days) == (4, 2)


def test_status_names_the_horizons_of_the_pretrained_model(overview):
    assert status_document(overview).model.pretrained_horizons == ()
    report = replace(overview.model.report, pretrained_horizons=(3600.0,))
    document = status_document(replace(overview, model=replace(overview.model, report=report)))
    assert document.model.pretrained_horizons == (3600.0,)


def test_status_lists_stored_metrics_outside_their_training_range(overview):
    stored = replace(overview, inputs_out_of_range=("memory_usage",))
    (document,) = status_document(stored).inputs_out_of_range
    assert (document.metric, document.reason) == ("memory_usage", "input_out_of_range")
    assert status_document(replace(stored, at=NOW + 60)).inputs_out_of_range is None


def test_status_of_the_daemon_replaces_stored_values_by_live_ones(state, live, overview):
    stale = replace(overview, at=NOW - 100, last_sample=None, predictions=())
    document = daemon_status_document(replace(state, overview=stale), NOW)
    assert (document.at, document.last_sample, document.high_load) == (NOW, live.sample, True)
    assert [prediction.probability for prediction in document.predictions] == [0.7]
    assert (document.version, document.reload_successful, document.database) == ("1.2.3", True, None)


def test_status_of_the_daemon_before_the_first_sample(state):
    assert daemon_status_document(replace(state, overview=None), NOW) is None
    document = daemon_status_document(replace(state, live=None), NOW)
    assert (document.high_load, document.samples_missed) == (None, None)
    assert document.inputs_out_of_range is None


def test_status_of_the_daemon_lists_metrics_outside_their_training_range(state):
    assert daemon_status_document(state, NOW).inputs_out_of_range == ()
    serving = Serving(REDUCED_MODEL, ServingReason.INPUT_OUT_OF_RANGE, ("memory_usage",))
    live = replace(state.live, forecast=replace(state.live.forecast, serving=(serving,)))
    (document,) = daemon_status_document(replace(state, live=live), NOW).inputs_out_of_range
    assert (document.metric, document.reason) == ("memory_usage", "input_out_of_range")
    assert document.message == "memory_usage outside its training range"

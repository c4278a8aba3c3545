"""JSON API: queries and the documents of each path."""

from dataclasses import replace

import pytest

from monitor.web.api import Api, ApiError
from storage import AnomalyRecord
from tests.unit.monitor.conftest import NOW
from tests.unit.monitor.web.wsgi import stored_documents

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"range": "x"}, "range=x: range is from 1 min to 90 d"),
        ({"range": "91d"}, "range=91d"),
        ({"points": "5"}, "points=5: points is from 10 to 2000"),
        ({"points": "1e3"}, "points=1e3"),
        ({"points": "1_00"}, "points=1_00"),
        ({"range": "\uff16h"}, "range=\uff16h"),
        ({"from": "0", "to": "59"}, "to is from 1 min to 90 d after from"),
        ({"from": "0", "to": "7776001"}, "to is from 1 min to 90 d after from"),
        ({"from": "60", "to": "0"}, "to is from 1 min"),
        ({"from": "0"}, "by range, or by from and to"),
        ({"from": "0", "to": "60", "range": "1h"}, "by range, or by from and to"),
        ({"from": "nan", "to": "60"}, "from=nan: from is in seconds since the epoch"),
        ({"from": "0", "to": "-1"}, "to=-1"),
        ({"from": "0", "to": "999999999999"}, "to=9"),
        ({"rage": "1h"}, "/api/v1/history takes no parameter rage"),
    ],
)
def test_answer_refuses_an_invalid_query_by_name(state, query, message):
    with pytest.raises(ApiError, match=message) as raised:
        Api(lambda: state, lambda: None).answer("/api/v1/history", query)
    assert raised.value.code == 400


def test_answer_is_unavailable_while_the_database_is_not_open(state):
    with pytest.raises(ApiError, match="not open yet") as raised:
        Api(lambda: state, lambda: None).answer("/api/v1/models", {})
    assert raised.value.code == 503


def test_answer_is_unavailable_before_the_first_state_is_read(state):
    with pytest.raises(ApiError) as raised:
        Api(lambda: replace(state, overview=None), lambda: None).answer("/api/v1/status", {})
    assert raised.value.code == 503


def test_status_has_the_newest_sample_and_predictions_of_the_daemon(state, live):
    sample = replace(live.sample, at=live.sample.at + 5)
    document = Api(lambda: replace(state, live=replace(live, sample=sample)), lambda: None).status()
    assert (document.last_sample, document.high_load, document.samples_missed) == (sample, True, 2)
    assert (document.version, document.reload_successful, document.database) == ("1.2.3", True, None)


def test_documents_of_a_daemon_without_model_and_training_are_empty(state, overview):
    bare = replace(state, live=None, overview=replace(overview, model=None, last_run=None))
    api = Api(lambda: bare, lambda: None)
    assert (api.prediction(), api.model(), api.training()) == ((), None, None)


def test_documents_of_the_serving_model_and_the_last_training_have_reports(state, overview):
    api = Api(lambda: state, lambda: None)
    assert (api.model().report, api.model().serving) == (overview.model.report, True)
    assert api.training().report == overview.last_run.report
    assert [prediction.warning for prediction in api.prediction()] == [True]


@pytest.fixture
def stored_api(state, stores):
    """API of a database with one anomaly event."""
    stores.anomalies.add(AnomalyRecord(NOW - 60, None, 0.9, NOW - 60, "spike", {"cpu_usage": 1.0}, 1))
    documents = stored_documents(stores)
    return Api(lambda: state, lambda: documents)


def test_anomaly_event_is_answered_by_its_id(stored_api):
    document = stored_api.answer("/api/v1/anomalies/1", {})
    assert (document.id, document.channel, document.contributions) == (1, "spike", {"cpu_usage": 1.0})


@pytest.mark.parametrize("event_id", ["2", "0", "", "x", "1/", "-1", "1.0", "\uff11", "9" * 18, "9" * 5000])
def test_unknown_and_malformed_ids_are_404(stored_api, event_id):
    with pytest.raises(ApiError) as raised:
        stored_api.answer(f"/api/v1/anomalies/{event_id}", {})
    assert raised.value.code == 404
    assert len(str(raised.value)) < 120


def test_anomaly_event_takes_no_parameter(stored_api):
    with pytest.raises(ApiError) as raised:
        stored_api.answer("/api/v1/anomalies/1", {"x": "1"})
    assert raised.value.code == 400


def test_warnings_are_answered_with_their_processes(stored_api, stores, process_snapshot):
    old = replace(process_snapshot, started_at=NOW - 31 * 86400)
    anomaly = replace(process_snapshot, anomaly_id=1, horizon=None)
    stores.process_snapshots.add([process_snapshot, old, anomaly])
    (document,) = stored_api.answer("/api/v1/warnings", {})
    assert (document.started_at, document.horizon_name, document.processes.visited) == (NOW - 1, "5m", 9)
    assert stored_api.answer("/api/v1/anomalies/1", {}).processes.visited == 9


def test_capacity_is_answered_once_it_is_known(state):
    (disk, memory) = Api(lambda: state, lambda: None).answer("/api/v1/capacity", {}).resources
    assert (disk.name, disk.probability, memory.probability) == ("/var", 0.75, 0.02)
    with pytest.raises(ApiError) as raised:
        Api(lambda: replace(state, capacity=None), lambda: None).answer("/api/v1/capacity", {})
    assert raised.value.code == 503

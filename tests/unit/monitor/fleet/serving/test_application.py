"""Routes of the fleet process."""

import json

import pytest

from monitor.fleet.process.state import CycleState
from monitor.fleet.serving.application import FleetApplication
from monitor.queries.channels import ChannelOverview
from monitor.state import Histogram, JobState
from storage import ChannelHealth, StorageError
from tests.unit.monitor.fleet.fleets import STEP, running_fleet

pytestmark = pytest.mark.unit

EMPTY = Histogram(0.0, ())


def get(state, path, query="", method="GET", accept=""):
    answer = {}

    def start(status, headers):
        answer.update(code=int(status[:3]), headers=dict(headers))

    environ = {"PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": method, "HTTP_ACCEPT": accept}
    body = b"".join(FleetApplication(lambda: state)(environ, start))
    return answer["code"], body.decode(), answer["headers"]


@pytest.fixture
def state():
    return running_fleet().fleet_state()


def test_metrics_have_process_and_hosts(state):
    code, body, headers = get(state, "/metrics")
    assert code == 200
    assert "monitor_fleet_hosts 3.0\n" in body
    assert 'monitor_high_load_probability{horizon="5m",host="web1:9100"} 0.2\n' in body
    assert headers["Content-Type"].startswith("text/plain")


def test_openmetrics_ends_once(state):
    _, body, headers = get(state, "/metrics", accept="application/openmetrics-text; version=1.0.0")
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert body.count("# EOF") == 1
    assert body.endswith("# EOF\n")
    assert 'host="web1:9100"' in body


def test_process_is_healthy_while_the_source_fails():
    fleet = running_fleet()
    fleet.source.error = "no answer"
    fleet.step()
    code, body, _ = get(fleet.fleet_state(), "/-/healthy")
    assert (code, body) == (200, "healthy; source unavailable: no answer\n")


def test_stalled_cycle_is_not_healthy():
    assert get(running_fleet().fleet_state(working=False), "/-/healthy")[0] == 503


def test_hung_job_is_not_healthy():
    job = JobState(runs=1, failures=0, missed=0, duration=EMPTY, delay=EMPTY, hung=True, hung_since=1.0)
    code, body, _ = get(running_fleet().fleet_state(jobs={"fleet_cycle": job}), "/-/healthy")
    assert (code, body) == (503, "job hung: fleet_cycle\n")


def test_ready_with_the_first_prediction(state):
    assert get(state, "/-/ready")[:2] == (200, "predicting for 3 of 3 hosts\n")


@pytest.mark.parametrize(
    ("cycle", "reason"),
    [
        (CycleState(), "the source has no host"),
        (CycleState(pending_hosts=5), "reading the histories of 5 hosts"),
        (CycleState(cycles=1, source_error="no answer"), "source unavailable: no answer"),
    ],
)
def test_ready_gives_the_reason_without_a_prediction(cycle, reason):
    fleet = running_fleet({})
    fleet.state = cycle
    code, body, _ = get(fleet.fleet_state(), "/-/ready")
    assert code == 503
    assert reason in body


def test_predictions_end_with_the_third_step_that_the_source_misses():
    fleet = running_fleet()
    fleet.source.error = "no answer"
    fleet.step(2)
    assert get(fleet.fleet_state(), "/-/ready")[:2] == (200, "predicting for 3 of 3 hosts\n")
    assert (
        'monitor_high_load_probability{horizon="5m",host="web1:9100"} 0.2\n'
        in get(fleet.fleet_state(), "/metrics")[1]
    )
    fleet.step()
    state = fleet.fleet_state()
    code, body, _ = get(state, "/-/ready")
    assert (code, body) == (503, "no prediction: source unavailable: no answer\n")
    metrics = get(state, "/metrics")[1]
    assert "host=" not in metrics
    assert "monitor_fleet_predicted_hosts 0.0\n" in metrics
    assert "monitor_fleet_stale_hosts 3.0\n" in metrics
    status = json.loads(get(state, "/api/v1/status")[1])
    assert (status["predicted"], status["stale"], status["warning"], status["high_load"]) == (0, 3, 0, 0)
    hosts = json.loads(get(state, "/api/v1/fleet")[1])["hosts"]
    assert [(host["stale"], host["predictions"]) for host in hosts] == [(True, [])] * 3
    host = json.loads(get(state, "/api/v1/fleet/hosts/web1:9100")[1])["host"]
    assert (host["stale"], host["risk"]) == (True, None)


def test_predictions_end_by_the_clock_without_a_cycle():
    fleet = running_fleet()
    fleet.clock.now += 3 * STEP
    assert get(fleet.fleet_state(), "/-/ready")[0] == 200
    fleet.clock.now += 2 * STEP
    code, body, _ = get(fleet.fleet_state(), "/-/ready")
    assert (code, body.startswith("no current prediction: the newest step is of ")) == (503, True)


def test_host_names_may_contain_slashes_and_other_scripts():
    state = running_fleet({"https://ä.example/x": 0.3}).fleet_state()
    path = "/api/v1/fleet/hosts/https://ä.example/x".encode().decode("latin-1")
    code, body, _ = get(state, path)
    assert (code, json.loads(body)["host"]["host"]) == (200, "https://ä.example/x")


@pytest.mark.parametrize(
    ("path", "query", "method", "code"),
    [
        ("/api/v1/fleet", "limit=2&limit=3", "GET", 400),
        ("/api/v1/fleet", "limit=0", "GET", 400),
        ("/api/v1/fleet/hosts/none", "", "GET", 404),
        ("/api/v1/fleet/hosts/", "", "GET", 404),
        ("/api/v1/prediction", "", "GET", 404),
        ("/metrics", "", "POST", 405),
    ],
)
def test_invalid_requests_have_their_status(state, path, query, method, code):
    assert get(state, path, query, method)[0] == code


def test_status_document_is_served(state):
    code, body, _ = get(state, "/api/v1/status")
    assert (code, json.loads(body)["hosts"]) == (200, 3)


def test_status_has_the_channels_of_the_notifications(state):
    overview = ChannelOverview("webhook", ChannelHealth("ops", failures=2), pending=3, given_up=1)

    def answer(channels):
        application = FleetApplication(lambda: state, channels=channels)
        environ = {"PATH_INFO": "/api/v1/status", "QUERY_STRING": "", "REQUEST_METHOD": "GET"}
        return json.loads(b"".join(application(environ, lambda *_: None)))["notifications"]

    def unavailable():
        raise StorageError("locked")

    (channel,) = answer(lambda: (overview,))
    assert (channel["channel"], channel["kind"], channel["failures"], channel["pending"]) == ("ops", "webhook", 2, 3)
    assert answer(unavailable) == []

"""Remote writer: acceptance, repetition and refusal."""

import http.server
import threading
from contextlib import contextmanager

import pytest

from monitor.fleet.remote_write import writer
from monitor.fleet.remote_write.writer import RemoteWriter, create_writer
from monitor.sampling.history_sources.http_settings import HttpSettings
from tests.unit.monitor.fleet.fleets import fleet_config, running_fleet

pytestmark = pytest.mark.unit

pytest.importorskip("cramjam")
pytest.importorskip("google.protobuf")


@contextmanager
def receiver():
    """Run a server that answers with `status`; yield it with its requests."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.server.requests.append((headers, body))
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *_):
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.status = [], 204
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server():
    with receiver() as running:
        yield running


@pytest.fixture
def sending(server):
    """A fleet, its writer and the published counters."""
    fleet = running_fleet()
    states = []
    url = f"http://127.0.0.1:{server.server_port}/api/v1/write"
    remote = RemoteWriter(url, HttpSettings(headers={"X-Scope-OrgID": "a"}), fleet.fleet_state, states.append)
    return fleet, remote, states


def test_each_step_is_sent_once(server, sending):
    fleet, remote, states = sending
    remote.run()
    remote.run()
    assert len(server.requests) == 1
    fleet.step()
    remote.run()
    assert (states[-1].sent, states[-1].pending, states[-1].error) == (2, 0, None)
    headers, _ = server.requests[0]
    assert headers["content-encoding"] == "snappy"
    assert headers["x-prometheus-remote-write-version"] == "0.1.0"
    assert headers["x-scope-orgid"] == "a"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_requests_wait_while_the_server_is_busy(server, sending, status):
    fleet, remote, states = sending
    server.status = status
    remote.run()
    fleet.step()
    remote.run()
    assert (states[-1].sent, states[-1].failures, states[-1].pending) == (0, 2, 2)
    server.status = 204
    remote.run()
    assert (states[-1].sent, states[-1].pending, states[-1].dropped) == (2, 0, 0)


def test_refused_request_is_dropped(server, sending):
    _, remote, states = sending
    server.status = 400
    remote.run()
    assert (states[-1].dropped, states[-1].pending, states[-1].sent) == (1, 0, 0)
    assert states[-1].error.startswith("status 400")


def test_waiting_requests_are_bounded(server, sending, monkeypatch):
    monkeypatch.setattr(writer, "MAX_PENDING", 2)
    fleet, remote, states = sending
    server.status = 503
    for _ in range(4):
        remote.run()
        fleet.step()
    assert (states[-1].pending, states[-1].dropped) == (2, 2)


def test_absent_server_is_an_error_in_the_state():
    states = []
    fleet = running_fleet()
    RemoteWriter("http://127.0.0.1:9/write", HttpSettings(), fleet.fleet_state, states.append).run()
    assert (states[-1].failures, states[-1].pending) == (1, 1)


def test_writer_of_a_configuration_gets_no_credential_of_the_source(monkeypatch):
    monkeypatch.setenv("MONITOR_PROMETHEUS_TOKEN", "secret")
    config = fleet_config(fleet={"remote_write_url": "http://127.0.0.1:9/write"})
    remote = create_writer(config, running_fleet().fleet_state, lambda _: None)
    assert remote._settings.headers == {}


def test_stale_hosts_are_not_sent_again(sending):
    fleet, remote, states = sending
    remote.run()
    fleet.source.error = "no answer"
    for _ in range(5):
        fleet.step()
        remote.run()
    assert states[-1].sent == 1

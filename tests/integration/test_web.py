"""HTTP endpoint over real sockets: routes, compression, half-open clients and the port."""

import gzip
import json
import socket
import urllib.error
import urllib.request
from dataclasses import replace

import pytest

from monitor.errors import MonitorError
from monitor.queries.overview import Overview
from monitor.state import DaemonState
from monitor.web import Application, WebServer

pytestmark = pytest.mark.integration

NEW_INSTALLATION = Overview(
    at=0.0,
    last_sample=None,
    oldest_sample_at=None,
    covered=720.0,
    needed=7200.0,
    predictions=(),
    model=None,
    last_run=None,
    last_success=None,
    runs={"promoted": 0, "failed": 0},
    next_retrain_at=None,
    retrain_running=False,
    daemon_running=True,
    storage_bytes=0,
    interval=5.0,
)


class StatusHolder:
    """Current status, which a test can replace."""

    def __init__(self):
        self.state = DaemonState("1.2.3", "3.11", overview=NEW_INSTALLATION)


@pytest.fixture
def holder():
    return StatusHolder()


@pytest.fixture
def server(holder):
    server = WebServer(("127.0.0.1", 0), Application(lambda: holder.state))
    server.start()
    yield server
    server.close()


def fetch(server, path, *, method="GET", **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_server_serves_metrics_in_the_text_format_and_in_openmetrics(server):
    code, headers, body = fetch(server, "/metrics")
    assert (code, headers["Content-Type"].split(";")[0]) == (200, "text/plain")
    assert b"monitor_build_info" in body
    _, headers, body = fetch(server, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_server_compresses_large_responses_on_request(server):
    _, headers, body = fetch(server, "/metrics", **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert b"monitor_build_info" in gzip.decompress(body)


def test_server_is_ready_once_it_samples(server, holder):
    assert fetch(server, "/-/ready")[0] == 503
    holder.state = replace(holder.state, live=type("Live", (), {"model_id": None}))
    code, _, body = fetch(server, "/-/ready")
    assert code == 200
    assert NEW_INSTALLATION.waiting_for in body.decode()


def test_server_serves_the_status_as_json(server):
    code, _, body = fetch(server, "/api/v1/status")
    assert code == 200
    assert json.loads(body)["history"] == {"covered_seconds": 720.0, "needed_seconds": 7200.0}


def test_server_serves_a_page_with_links_to_the_documents(server):
    _, headers, body = fetch(server, "/")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert b'href="/metrics"' in body


@pytest.mark.parametrize(
    ("path", "method", "code"), [("/x", "GET", 404), ("/metrics/", "GET", 404), ("/metrics", "POST", 405)]
)
def test_server_refuses_other_paths_and_methods(server, path, method, code):
    assert fetch(server, path, method=method)[0] == code


def test_server_sends_no_body_to_head(server):
    code, headers, body = fetch(server, "/metrics", method="HEAD")
    assert (code, body) == (200, b"")
    assert int(headers["Content-Length"]) > 100


def test_server_answers_a_scrape_despite_four_hundred_half_open_requests(server):
    connections = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(400)]
    try:
        for connection in connections:
            connection.sendall(b"GET /metrics HT")
        assert fetch(server, "/metrics")[0] == 200
    finally:
        for connection in connections:
            connection.close()


def test_server_closes_a_connection_with_endless_headers(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\n" + b"X-A: " + b"a" * 70_000)
        assert connection.recv(100) == b""


def test_server_refuses_a_port_in_use(server):
    with pytest.raises(MonitorError, match=f"127.0.0.1:{server.port}"):
        WebServer(("127.0.0.1", server.port), Application(lambda: None))


def test_closed_server_frees_its_port():
    server = WebServer(("127.0.0.1", 0), Application(lambda: DaemonState("1", "3")))
    server.start()
    assert fetch(server, "/-/healthy")[0] == 200
    server.close()
    WebServer(("127.0.0.1", server.port), Application(lambda: None)).close()

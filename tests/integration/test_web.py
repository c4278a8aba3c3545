"""The endpoint over real sockets: routes, encodings, and slow clients that hold nobody up."""

import gzip
import json
import socket
import urllib.error
import urllib.request
from dataclasses import replace

import pytest

from monitor.errors import MonitorError
from monitor.queries.status import Overview
from monitor.state import DaemonState
from monitor.web import Application, WebServer

pytestmark = pytest.mark.integration

EMPTY = Overview(
    0.0,
    None,
    None,
    720.0,
    7200.0,
    (),
    None,
    None,
    None,
    dict.fromkeys(("promoted", "failed"), 0),
    None,
    False,
    True,
    0,
    5.0,
)


@pytest.fixture
def board():
    class Board:
        status = DaemonState("1.2.3", "3.11", overview=EMPTY)

    return Board()


@pytest.fixture
def server(board):
    made = WebServer(("127.0.0.1", 0), Application(lambda: board.status))
    made.start()
    yield made
    made.close()


def ask(server, path, *, method="GET", **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_metrics_in_the_text_format_and_in_openmetrics(server):
    code, headers, body = ask(server, "/metrics")
    assert (code, headers["Content-Type"].split(";")[0]) == (200, "text/plain")
    assert b"monitor_build_info" in body
    _, headers, body = ask(server, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_large_answers_are_compressed_for_those_who_ask(server):
    _, headers, body = ask(server, "/metrics", **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert b"monitor_build_info" in gzip.decompress(body)


def test_ready_says_what_it_waits_for(server, board):
    assert ask(server, "/-/ready")[0] == 503
    board.status = replace(board.status, live=type("Live", (), {"model_id": None}))
    code, _, body = ask(server, "/-/ready")
    assert (code, body) == (200, b"sampling; no model serves yet: not enough history: 12 min of the 2 h it needs\n")


def test_healthy_while_the_loop_turns(server, board):
    assert ask(server, "/-/healthy")[0] == 200
    board.status = replace(board.status, sampling=False)
    assert ask(server, "/-/healthy")[0] == 503


def test_status_is_json(server):
    code, _, body = ask(server, "/api/v1/status")
    assert code == 200
    assert json.loads(body)["history"] == {"covered_seconds": 720.0, "needed_seconds": 7200.0}


def test_the_front_page_leads_to_the_others(server):
    _, headers, body = ask(server, "/")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert b'href="/metrics"' in body


@pytest.mark.parametrize(
    ("path", "method", "code"), [("/x", "GET", 404), ("/metrics/", "GET", 404), ("/metrics", "POST", 405)]
)
def test_anything_else_is_refused(server, path, method, code):
    assert ask(server, path, method=method)[0] == code


def test_head_has_no_body(server):
    code, headers, body = ask(server, "/metrics", method="HEAD")
    assert (code, body) == (200, b"")
    assert int(headers["Content-Length"]) > 100


def test_a_good_scrape_passes_four_hundred_half_open_ones(server):
    slow = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(400)]
    try:
        for connection in slow:
            connection.sendall(b"GET /metrics HT")
        assert ask(server, "/metrics")[0] == 200
    finally:
        for connection in slow:
            connection.close()


def test_a_header_without_end_is_cut(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\n" + b"X-A: " + b"a" * 70_000)
        assert connection.recv(100) == b""


def test_a_port_in_use_is_named(server):
    with pytest.raises(MonitorError, match=f"127.0.0.1:{server.port} cannot be bound: already in use"):
        WebServer(("127.0.0.1", server.port), Application(lambda: None))


def test_a_closed_server_frees_its_port():
    made = WebServer(("127.0.0.1", 0), Application(lambda: DaemonState("1", "3")))
    made.start()
    assert ask(made, "/-/healthy")[0] == 200
    made.close()
    WebServer(("127.0.0.1", made.port), Application(lambda: None)).close()

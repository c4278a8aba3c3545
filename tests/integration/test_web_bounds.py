"""Limits of the HTTP endpoint: slow, hostile and malformed clients cost little and do not block a scrape."""

import errno
import logging
import select
import socket
import subprocess
import sys
import threading
from base64 import b64encode
from contextlib import ExitStack
from pathlib import Path

import pytest

from monitor.web import Limits, WebServer

from .web_clients import (
    SECRET_HASH,
    SHORT_TIMEOUTS,
    connect,
    ok,
    open_connections,
    parse_response,
    read_until_closed,
    request,
    send,
    send_for_code,
    serving,
    wait_until,
)

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
HALF_REQUEST = b"GET /metrics HT"


class BlockingApplication:
    """Application that blocks requests of some paths until released."""

    def __init__(self, *paths):
        self._paths = paths
        self.started = threading.Semaphore(0)
        self.released = threading.Event()

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] in self._paths:
            self.started.release()
            self.released.wait(20)
        return ok(environ, start_response)

    def wait_started(self, timeout=20):
        return self.started.acquire(timeout=timeout)


def codes_of(connections):
    return [parse_response(read_until_closed(connection))[0] for connection in connections]


def test_connections_beyond_the_limit_evict_those_that_wait_longest():
    with serving(ok, Limits(connections=20)) as server, open_connections(server, 60, HALF_REQUEST) as slow:
        assert send_for_code(server, request()) == 200
        # Evicted at once, long before their timeout.
        assert all(read_until_closed(connection) == b"" for connection in slow[:40])


def test_connections_are_rejected_while_all_others_are_being_processed(tmp_path):
    application = BlockingApplication("/metrics")
    # With a login, scrapes are answered by several threads.
    web_config = tmp_path / "web.yml"
    web_config.write_text(f"basic_auth_users: {{scraper: {SECRET_HASH}}}\n")
    scrape = request(Authorization=f"Basic {b64encode(b'scraper:secret').decode()}")
    limits = Limits(connections=2)
    with serving(application, limits, web_config) as server, open_connections(server, 2, scrape) as first:
        assert all(application.wait_started() for _ in first)
        assert send_for_code(server, b"") == 503
        application.released.set()
        assert codes_of(first) == [200, 200]


@pytest.mark.parametrize("data", [b"", HALF_REQUEST, request()[:-2]])
def test_incomplete_requests_are_closed_after_the_timeout(data):
    with serving() as server, open_connections(server, 3, data) as slow:
        assert [read_until_closed(connection) for connection in slow] == [b""] * 3


@pytest.mark.parametrize(
    "data",
    [
        b"GET /metrics HTTP/1.1\r\nHost: localhost:\r\nConnection: close\r\n\r\n",
        b"GET http://localhost/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: text/plain;version=x\r\nConnection: close\r\n\r\n",
    ],
)
def test_unusual_valid_requests_are_answered(data):
    with serving() as server:
        assert send_for_code(server, data) == 200


def test_scrapes_do_not_wait_for_the_api():
    application = BlockingApplication("/api/v1/history")
    slow_request = request("/api/v1/history")
    with serving(application, Limits()) as server, open_connections(server, 20, slow_request) as slow:
        assert application.wait_started()
        assert send_for_code(server, request("/metrics")) == 200
        assert send_for_code(server, request("/-/healthy")) == 200
        application.released.set()
        assert set(codes_of(slow)) == {200}


def test_page_requests_beyond_the_queue_are_rejected():
    application = BlockingApplication("/")
    with serving(application, Limits()) as server, open_connections(server, 60, request("/")) as views:
        assert application.wait_started()
        # 32 requests wait; the others are rejected.
        wait_until(lambda: len(select.select(views, [], [], 0)[0]) == 28)
        assert send_for_code(server, request("/")) == 503
        application.released.set()
        codes = codes_of(views)
    assert (codes.count(200), codes.count(503)) == (32, 28)


def test_requests_of_disconnected_clients_are_skipped():
    application = BlockingApplication("/")
    with serving(application, Limits()) as server:
        with open_connections(server, 20, request("/")):
            assert application.wait_started()
        wait_until(lambda: server.open_connections == 0)
        application.released.set()
        assert send_for_code(server, request("/metrics")) == 200
        assert not application.wait_started(timeout=0.5)


def test_oldest_unsent_responses_are_dropped_beyond_the_limit():
    size = 20 * 2**20

    def large(environ, start_response):
        start_response("200 OK", [("Content-Length", str(size))])
        return [b"x" * size]

    with serving(large, Limits()) as server, open_connections(server, 10, request("/")) as slow:
        wait_until(lambda: server.open_connections == 1)
        complete = [len(read_until_closed(connection)) > size for connection in slow]
    assert complete.count(True) == 1


def is_closed(connection, seconds=0.05):
    """Return True if the server closes the connection within a time."""
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_headers_sent_byte_by_byte_are_closed_after_the_timeout():
    with serving() as server, connect(server) as connection:
        sent = 0
        while not is_closed(connection):
            sent += connection.send(b"a")
            assert sent < 1000


def test_missing_body_is_closed_after_the_timeout():
    with serving() as server, connect(server) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n123")
        assert read_until_closed(connection) == b""


def test_keep_alive_connection_serves_several_requests_and_is_closed_when_idle():
    with serving(ok) as server, connect(server) as connection:
        for _ in range(3):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(65_536).endswith(b"ok")
        assert read_until_closed(connection) == b""


def test_client_that_does_not_receive_the_response_is_closed():
    size = 50_000_000

    def large(environ, start_response):
        start_response("200 OK", [("Content-Length", str(size))])
        return [b"x" * size]

    with serving(large) as server, connect(server) as connection:
        connection.sendall(request())
        wait_until(lambda: server.open_connections == 1)
        wait_until(lambda: server.open_connections == 0)
        assert len(read_until_closed(connection)) < size


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"garbage\r\n\r\n", 400),
        (b"\x16\x03\x01\x00\xa5\x01\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a:" + b"1" * 5000 + b"\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost:abc\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70_000, 0),
    ],
)
def test_malformed_and_oversized_requests_are_rejected_without_a_log_entry(data, code, caplog):
    caplog.set_level(logging.WARNING)
    with serving() as server:
        assert send_for_code(server, data) == code
        assert send_for_code(server, request()) == 200
    assert caplog.records == []


def test_exception_of_the_application_is_logged_and_results_in_500(caplog):
    def broken(environ, start_response):
        raise RuntimeError("broken")

    with serving(broken) as server:
        assert send_for_code(server, request()) == 500
    assert [record.getMessage() for record in caplog.records] == ["request failed"]


def test_missing_memory_results_in_503_and_one_log_entry(caplog):
    def broken(environ, start_response):
        raise MemoryError

    with serving(broken) as server:
        assert [send_for_code(server, request()) for _ in range(5)] == [503] * 5
    assert [record.getMessage() for record in caplog.records] == ["request failed"]


EXHAUSTED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))
from tests.integration.web_clients import ok
from monitor.web import WebServer
server = WebServer(("127.0.0.1", 0), ok)
server.start()
opened = []
try:
    while True:
        opened.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    print(server.port, len(opened), flush=True)
sys.stdin.read()
"""


def test_scrapes_succeed_while_no_descriptor_is_free():
    command = [sys.executable, "-c", EXHAUSTED]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        port, opened = map(int, process.stdout.readline().split())
        assert opened > 10
        with ExitStack() as idle:
            for _ in range(20):
                idle.enter_context(socket.create_connection(("127.0.0.1", port)))
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                    connection.sendall(request())
                    assert parse_response(read_until_closed(connection))[0] == 200
        process.stdin.close()


def test_response_that_cannot_be_written_is_logged_and_closed(caplog):
    def broken(environ, start_response):
        start_response("200 OK", [("X-A", "a\r\nb"), ("Content-Length", "0")])
        return []

    with serving(broken) as server:
        assert send_for_code(server, request()) == 0
        wait_until(lambda: server.open_connections == 0)
    assert [record.getMessage() for record in caplog.records] == ["response failed"]


def test_close_disconnects_waiting_clients_and_frees_the_port():
    server = WebServer(("127.0.0.1", 0), ok)
    server.start()
    with open_connections(server, 50, HALF_REQUEST) as slow:
        wait_until(lambda: server.open_connections == 50)
        server.close()
        assert all(read_until_closed(connection) == b"" for connection in slow)
    with pytest.raises(ConnectionRefusedError):
        connect(server)
    WebServer(("127.0.0.1", server.port), ok).close()


class ExhaustedSocket:
    """Listening socket whose first two connections fail for lack of file descriptors.

    The error is simulated, because the test process needs its own descriptors.
    """

    def __init__(self, listening):
        self._listening = listening
        self._failures = 2

    def __getattr__(self, name):
        return getattr(self._listening, name)

    def accept(self):
        if self._failures:
            self._failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return self._listening.accept()


def test_waiting_clients_are_evicted_when_file_descriptors_run_out():
    with serving(ok, Limits()) as server, open_connections(server, 3):
        wait_until(lambda: server.open_connections == 3)
        server._socket = ExhaustedSocket(server._socket)
        assert send_for_code(server, request()) == 200
        wait_until(lambda: server.open_connections == 1)


def test_server_listens_on_ipv6():
    if not socket.has_ipv6:
        pytest.skip("NOT TESTED: this machine has no IPv6")
    server = WebServer(("::1", 0), ok, limits=SHORT_TIMEOUTS)
    server.start()
    try:
        with socket.create_connection(("::1", server.port), timeout=5) as connection:
            connection.sendall(request(host=f"[::1]:{server.port}"))
            assert codes_of([connection]) == [200]
    finally:
        server.close()


def test_response_contains_headers_and_body():
    with serving(ok) as server:
        code, headers, body = send(server, request())
    assert (code, headers["Content-Length"], body) == (200, "2", b"ok")

"""What hostile clients can take is bounded, and a good scrape gets through beside them."""

import errno
import logging
import socket
import threading

import pytest

from monitor.web import Limits, WebServer

from .web_clients import QUICK, asked, connect, eventually, get, many, parsed, rest, serving

pytestmark = pytest.mark.integration


def ok(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def test_more_connections_than_there_are_places_push_out_those_that_wait_longest():
    with serving(ok, Limits(connections=20)) as server, many(server, 60, b"GET / HT") as slow:
        assert asked(server, get())[0] == 200
        # the first ones hear of it at once, long before they have waited too long
        assert all(rest(connection) == b"" for connection in slow[:40])


def test_where_every_place_is_answered_the_next_is_turned_away_at_once():
    begun, going = threading.Semaphore(0), threading.Event()

    def slow(environ, start_response):
        begun.release()
        going.wait(20)
        return ok(environ, start_response)

    with serving(slow, Limits(connections=2)) as server, many(server, 2, get()) as first:
        assert all(begun.acquire(timeout=20) for _ in first)
        assert asked(server, b"")[0] == 503
        going.set()
        assert [parsed(rest(connection))[0] for connection in first] == [200, 200]


@pytest.mark.parametrize("first", [b"", b"GET /metrics HT", get()[:-2]])
def test_who_does_not_ask_in_time_is_cut(first):
    with serving() as server, many(server, 3, first) as slow:
        assert [rest(connection) for connection in slow] == [b""] * 3


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /metrics HTTP/1.1\r\nHost: localhost:\r\nConnection: close\r\n\r\n",
        b"GET http://localhost/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: text/plain;version=x\r\nConnection: close\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: application/openmetrics-text;version=y\r\n"
        b"Connection: close\r\n\r\n",
    ],
)
def test_what_is_odd_and_allowed_is_answered(request_):
    with serving() as server:
        assert asked(server, request_)[0] == 200


def held(paths):
    """An application that answers these when it is let, and everything else at once; and the two events."""
    begun, going = threading.Semaphore(0), threading.Event()

    def application(environ, start_response):
        if environ["PATH_INFO"] in paths:
            begun.release()
            going.wait(20)
        return ok(environ, start_response)

    return application, begun, going


def test_a_scrape_does_not_wait_for_what_people_ask():
    application, begun, going = held({"/api/v1/history"})
    with serving(application, Limits()) as server, many(server, 20, get("/api/v1/history")) as pictures:
        assert begun.acquire(timeout=20)
        assert asked(server, get("/metrics"))[0] == 200
        assert asked(server, get("/-/healthy"))[0] == 200
        going.set()
        assert {parsed(rest(connection))[0] for connection in pictures} == {200}


def test_of_people_one_too_many_hears_it_at_once():
    application, begun, going = held({"/"})
    with serving(application, Limits()) as server, many(server, 60, get("/")) as pages:
        assert begun.acquire(timeout=20)
        eventually(lambda: server.connections <= 60)
        assert asked(server, get("/"))[0] == 503
        going.set()
        found = [parsed(rest(connection))[0] for connection in pages]
    assert (found.count(200), found.count(503)) == (32, 28)


def test_nothing_is_worked_out_for_who_has_gone():
    application, begun, going = held({"/"})
    with serving(application, Limits()) as server:
        with many(server, 20, get("/")):
            assert begun.acquire(timeout=20)
        eventually(lambda: server.connections == 0)
        going.set()
        assert asked(server, get("/metrics"))[0] == 200
        assert not begun.acquire(timeout=0.5)


def test_of_answers_that_nobody_takes_the_oldest_are_cut():
    def large(environ, start_response):
        start_response("200 OK", [("Content-Length", str(20 * 2**20))])
        return [b"x" * 20 * 2**20]

    with serving(large, Limits()) as server, many(server, 10, get("/")) as slow:
        eventually(lambda: server.connections == 1)
        assert [len(rest(connection)) > 20 * 2**20 for connection in slow].count(True) == 1


def test_a_header_that_comes_byte_by_byte_is_cut_however_lively_it_is():
    with serving() as server, connect(server) as connection:
        sent = 0
        while cut_after(connection) is False:
            sent += connection.send(b"a")
            assert sent < 1000


def cut_after(connection, seconds=0.05):
    """Whether the server closes within this time."""
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_a_body_that_never_comes_is_cut():
    with serving() as server, connect(server) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n123")
        assert rest(connection) == b""


def test_a_connection_that_is_kept_serves_again_and_is_cut_when_it_idles():
    with serving(ok) as server, connect(server) as connection:
        for _ in range(3):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(65_536).endswith(b"ok")
        assert rest(connection) == b""


def test_who_does_not_take_the_answer_is_cut():
    large = b"x" * 50_000_000

    def page(environ, start_response):
        start_response("200 OK", [("Content-Length", str(len(large)))])
        return [large]

    with serving(page) as server, connect(server) as connection:
        connection.sendall(get())
        eventually(lambda: server.connections == 1)
        eventually(lambda: server.connections == 0)
        assert len(rest(connection)) < len(large)


@pytest.mark.parametrize(
    ("request_", "code"),
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
def test_what_is_malformed_or_too_large_is_refused_and_logged_for_those_who_debug(request_, code, caplog):
    caplog.set_level(logging.WARNING)
    with serving() as server:
        assert asked(server, request_)[0] == code
        assert asked(server, get())[0] == 200
    assert caplog.records == []


def test_an_error_of_the_application_is_logged_and_answered(caplog):
    def broken(environ, start_response):
        raise RuntimeError("oh")

    with serving(broken) as server:
        assert asked(server, get())[0] == 500
    assert [record.getMessage() for record in caplog.records] == ["request failed"]


def test_an_answer_that_cannot_be_written_is_logged_and_holds_no_place(caplog):
    def broken(environ, start_response):
        start_response("200 OK", [("X-A", "a\r\nb"), ("Content-Length", "0")])
        return []

    with serving(broken) as server:
        assert asked(server, get())[0] == 0
        eventually(lambda: server.connections == 0)
    assert [record.getMessage() for record in caplog.records] == ["response failed"]


def test_closing_cuts_who_hangs_and_frees_the_port():
    made = WebServer(("127.0.0.1", 0), ok)
    made.start()
    with many(made, 50, b"GET / HT") as slow:
        eventually(lambda: made.connections == 50)
        made.close()
        assert all(rest(connection) == b"" for connection in slow)
    with pytest.raises(ConnectionRefusedError):
        connect(made)
    WebServer(("127.0.0.1", made.port), ok).close()


def test_without_a_descriptor_left_those_who_wait_make_room():
    """The kernel's refusal is put in by hand: this process needs its own descriptors."""
    refusals = [OSError(errno.EMFILE, "Too many open files")] * 2

    class Listening:
        def __init__(self, inner):
            self._inner = inner

        def __getattr__(self, name):
            return getattr(self._inner, name)

        def accept(self):
            if refusals:
                raise refusals.pop()
            return self._inner.accept()

    with serving(ok, Limits()) as server, many(server, 3):
        eventually(lambda: server.connections == 3)
        server._socket = Listening(server._socket)
        assert asked(server, get())[0] == 200
        eventually(lambda: server.connections == 1)


def test_a_free_port_is_bound_for_ipv6_too():
    if not socket.has_ipv6:
        pytest.skip("NOT TESTED: this machine has no IPv6")
    made = WebServer(("::1", 0), ok, limits=QUICK)
    made.start()
    try:
        with socket.create_connection(("::1", made.port), timeout=5) as connection:
            connection.sendall(get(host=f"[::1]:{made.port}"))
            assert parsed(rest(connection))[0] == 200
    finally:
        made.close()

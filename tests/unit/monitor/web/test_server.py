"""Tests of monitor.web.server; integration tests cover its behaviour over sockets."""

import socket
import threading

import pytest

from monitor.errors import MonitorError
from monitor.web.server import WebServer
from monitor.web.web_config.loader import WebConfigFile

from .wsgi import hello

pytestmark = pytest.mark.unit


def test_server_is_bound_before_it_starts():
    server = WebServer(("127.0.0.1", 0), hello)
    try:
        assert server.port > 0
        assert server.open_connections == 0
        with pytest.raises(MonitorError):
            WebServer(("127.0.0.1", server.port), hello)
    finally:
        server.close()


def test_server_closed_before_its_start_frees_the_port():
    server = WebServer(("127.0.0.1", 0), hello)
    server.close()
    socket.create_server(("127.0.0.1", server.port)).close()


def test_server_counts_open_connections():
    server = WebServer(("127.0.0.1", 0), hello)
    server.start()
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(15) == b"HTTP/1.1 200 OK"
            assert server.open_connections == 1
    finally:
        server.close()


def first_bytes(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return client.recv(12)


@pytest.fixture
def server():
    started = WebServer(("127.0.0.1", 0), hello)
    started.start()
    yield started
    started.close()


def test_server_uses_another_application_from_the_next_request_on(server):
    def gone(environ, start_response):
        start_response("410 Gone", [])
        return [b""]

    assert first_bytes(server.port) == b"HTTP/1.1 200"
    server.use(gone)
    assert first_bytes(server.port) == b"HTTP/1.1 410"


def test_rebound_server_keeps_open_connections(server):
    previous = server.port
    with socket.create_connection(("127.0.0.1", previous), timeout=5) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        server.rebind(("localhost", 0))
        client.sendall(b"Host: localhost\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 200"
    assert first_bytes(server.port) == b"HTTP/1.1 200"
    with pytest.raises(ConnectionRefusedError):
        first_bytes(previous)


def test_server_listens_on_the_previous_address_if_the_new_one_cannot_be_bound(server):
    port = server.port
    with socket.create_server(("127.0.0.1", 0)) as occupant, pytest.raises(MonitorError):
        server.rebind(("127.0.0.1", occupant.getsockname()[1]))
    assert (server.port, first_bytes(port)) == (port, b"HTTP/1.1 200")
    with pytest.raises(MonitorError):
        server.rebind(("192.0.2.1", port))
    assert (server.port, first_bytes(port)) == (port, b"HTTP/1.1 200")


def test_server_rebinds_the_same_port_on_all_addresses(server):
    port = server.port
    server.rebind(("0.0.0.0", port))
    assert (server.port, first_bytes(port)) == (port, b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("path", "users", "in_loop"),
    [("/metrics", {}, True), ("/-/healthy", {}, True), ("/metrics", {"a": b"hash"}, False), ("/", {}, False)],
)
def test_server_answers_machines_in_its_own_thread_unless_passwords_are_checked(path, users, in_loop):
    threads = []

    def application(environ, start_response):
        threads.append(threading.current_thread().name)
        return hello(environ, start_response)

    server = WebServer(("127.0.0.1", 0), application, lambda: WebConfigFile(users=users))
    server.start()
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert client.recv(12) == b"HTTP/1.1 200"
    finally:
        server.close()
    assert (threads == ["web"]) is in_loop

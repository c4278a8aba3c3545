"""Tests of monitor.web.server; integration tests cover its behaviour over sockets."""

import socket

import pytest

from monitor.errors import MonitorError
from monitor.web.server import WebServer

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

"""Tests of the probe of a port."""

import contextlib
import socket
import threading

import pytest

from monitor.queries.port_probe import ProbeFailure, probe_port

pytestmark = pytest.mark.unit


def test_probe_reports_closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    probe = probe_port("127.0.0.1", port)
    assert (probe.listening, probe.healthy.failure, probe.pid) == (False, ProbeFailure.REFUSED, None)


def test_probe_reports_silent_server_and_other_protocol(monkeypatch):
    monkeypatch.setattr("monitor.queries.port_probe.PROBE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        probe = probe_port("127.0.0.1", silent.getsockname()[1])
    assert probe.healthy.failure is ProbeFailure.TIMEOUT

    def send_other_protocol(server):
        for _ in range(2):
            connection, _ = server.accept()
            connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=send_other_protocol, args=(server,))
        thread.start()
        probe = probe_port("127.0.0.1", server.getsockname()[1])
        thread.join()
    assert (probe.listening, probe.healthy.code, probe.healthy.failure) == (True, 0, ProbeFailure.NOT_HTTP)


def test_probe_limits_the_time_of_a_trickling_response(monkeypatch):
    monkeypatch.setattr("monitor.queries.port_probe.PROBE_SECONDS", 0.5)
    finished = threading.Event()

    def trickle(server):
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not finished.wait(0.05):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=trickle, args=(server,))
        thread.start()
        probe = probe_port("127.0.0.1", server.getsockname()[1])
        finished.set()
        thread.join()
    assert probe.healthy.failure is ProbeFailure.TIMEOUT

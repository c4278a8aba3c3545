"""Mutated HTTP requests: the server answers or closes each connection, logs no fault, and serves a scrape next."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from pathlib import Path
from random import Random

from monitor.errors import MonitorError
from monitor.state import DaemonState
from monitor.web import Application, Limits, WebServer
from monitor.web.allowed_hosts import AllowedHosts
from monitor.web.middleware import AccessMiddleware
from tests.fuzz.mutations import mutate

HEADERS = (
    b"Host: localhost\r\nAccept: text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\nAccept-Encoding: gzip;q=1.0, *;q=0\r\n"
)

REQUESTS = (
    b"GET /metrics HTTP/1.1\r\n" + HEADERS + b"Authorization: Basic YTpi\r\n\r\n",
    b"GET /api/v1/status?since=-1d&x=%00 HTTP/1.1\r\n" + HEADERS + b"Connection: keep-alive\r\n\r\n",
    b"GET http://localhost:80/static/page.css HTTP/1.1\r\n" + HEADERS + b"\r\n",
    b"POST /-/reload HTTP/1.1\r\n" + HEADERS + b"Content-Length: 4\r\n\r\nbody",
    b"POST /-/reload HTTP/1.1\r\n" + HEADERS + b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    b"HEAD / HTTP/1.0\r\nHost: [::1]:1\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\nGET /-/ready HTTP/1.1\r\nHost: a\r\n\r\n",
)

LINE_EDGES = (
    b"Content-Length: 99999999999999999999999\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: 1\r\nContent-Length: 2\r\n",
    b"Transfer-Encoding: chunked, gzip\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    b"Host: " + b"9" * 5000 + b"\r\n",
    b"Host: [::1\r\n",
    b"Host: a:99999999\r\n",
    b"X: \xff\xfe\x00\r\n",
    b" folded\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: h2c\r\n",
    b"a: b\r\n" * 2000,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
)
"""Lines that HTTP servers get wrong."""

_FAULTS = logging.CRITICAL


class _Faults(logging.Handler):
    """Log handler that keeps the faults of the server."""

    def __init__(self) -> None:
        super().__init__(_FAULTS)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(self.format(record))


class HttpTarget:
    """Server on a port of this process, started by the first request."""

    def __init__(self) -> None:
        self._server: WebServer | None = None
        self._faults = _Faults()

    def __call__(self, path: Path, _: Random) -> None:
        """Send the bytes of a file on a new connection, then scrape.

        Raises:
            AssertionError: the server logged a fault, or no longer serves.
            MonitorError: the server refused the request.
        """
        if self._server is None:
            state = DaemonState("1.2.3", "3.11")
            guarded = AccessMiddleware(Application(lambda: state), AllowedHosts(()))
            limits = Limits(request_seconds=1.0, response_seconds=1.0)
            self._server = WebServer(("127.0.0.1", 0), guarded, limits=limits)
            self._server.start()
            logging.getLogger().addHandler(self._faults)
        answer = self._exchange(path.read_bytes(), complete=False)
        assert self._exchange(b"GET /metrics HTTP/1.0\r\n\r\n", complete=True).startswith(b"HTTP/1.1 200")
        assert not self._faults.messages, self._faults.messages[0][-500:]
        if not answer.startswith(b"HTTP/1.1 2"):
            raise MonitorError(answer[:80].decode("latin-1") or "connection closed")

    def _exchange(self, data: bytes, *, complete: bool) -> bytes:
        """Return all bytes that the server sends until it closes the connection.

        Args:
            data: bytes to send.
            complete: True for a complete request; otherwise the client closes its side, and may get no answer.
        """
        assert self._server is not None
        received = b""
        with socket.create_connection(("127.0.0.1", self._server.port), timeout=60) as connection:
            try:
                connection.sendall(data)
                if not complete:
                    connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(65_536):
                    received += part
            except ConnectionError:
                return received
        return received


def mutate_request(random: Random, seeds: Sequence[bytes]) -> bytes:
    """Return a mutated request, often with a line that HTTP servers get wrong."""
    data = mutate(random, seeds) if random.random() < 0.7 else random.choice(seeds)
    if random.random() < 0.5:
        lines = data.splitlines(keepends=True)
        lines.insert(random.randint(0, len(lines)), random.choice(LINE_EDGES))
        data = b"".join(lines)
    return data

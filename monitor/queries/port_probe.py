"""Probe of a TCP port: HTTP or HTTPS requests, and the listening process."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import StrEnum

import psutil

PROBE_SECONDS = 2.0
"""Time limit in seconds for all requests of one probe together."""

MAX_RESPONSE_BYTES = 4 * 2**20


class ProbeFailure(StrEnum):
    """Reason why a request got no HTTP response."""

    REFUSED = "connection refused"
    NOT_HTTP = "not HTTP"
    TIMEOUT = "no response in time"
    NETWORK = "network error"


@dataclass(frozen=True)
class Response:
    """Response to one request.

    Attributes:
        code: HTTP status code; 0 without a response.
        body: response body, at most MAX_RESPONSE_BYTES.
        server: header Server.
        secure: True if received over TLS.
        failure: reason why there is no response.
    """

    code: int
    body: bytes = b""
    server: str = ""
    secure: bool = False
    failure: ProbeFailure | None = None

    def __str__(self) -> str:
        return str(self.failure or self.code)


@dataclass(frozen=True)
class PortProbe:
    """Result of probing a port.

    Attributes:
        listening: True if a process listens on the port.
        healthy: response to GET /-/healthy.
        metrics: response to GET /metrics; equal to `healthy` if that request got no response.
        pid: ID of the listening process; None if unknown.
    """

    listening: bool
    healthy: Response
    metrics: Response
    pid: int | None


PROBE_ADDRESSES = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared, not bound
"""Loopback address to probe for each wildcard address; "" means all interfaces."""


def request(host: str, port: int, path: str, seconds: float) -> Response:
    """Return the response to GET `path` over HTTP, or over TLS if the server rejects plain HTTP; see `probe_port`."""
    return _request_any(host, port, path, time.monotonic() + seconds)


def probe_port(host: str, port: int) -> PortProbe:
    """Request /-/healthy and, if there is a response, /metrics; find the listening process.

    TLS is used if the server rejects plain HTTP. All requests together take about PROBE_SECONDS at most.
    """
    end = time.monotonic() + PROBE_SECONDS
    healthy = _request_any(host, port, "/-/healthy", end)
    if healthy.failure is ProbeFailure.REFUSED:
        return PortProbe(listening=False, healthy=healthy, metrics=healthy, pid=None)
    metrics = healthy
    if healthy.code:
        metrics = _request_any(host, port, "/metrics", end, secure=healthy.secure)
    return PortProbe(listening=True, healthy=healthy, metrics=metrics, pid=_listening_process(port))


def _request_any(host: str, port: int, path: str, end: float, *, secure: bool = False) -> Response:
    """Send a GET request over HTTP, then over TLS if the server rejects plain HTTP.

    Args:
        host: host name or address.
        port: TCP port.
        path: path of the URL.
        end: deadline on the monotonic clock, in seconds.
        secure: True to send the request over TLS only.
    """
    response = _request(host, port, path, end, secure=secure)
    wants_tls = response.failure is ProbeFailure.NOT_HTTP or (response.code == 400 and b"HTTPS" in response.body)
    if not secure and wants_tls:
        over_tls = _request(host, port, path, end, secure=True)
        return over_tls if over_tls.code else response
    return response


def _request(host: str, port: int, path: str, end: float, *, secure: bool) -> Response:
    remaining = max(0.1, end - time.monotonic())
    connection: http.client.HTTPConnection
    if secure:
        # The certificate is not verified: only the status code is used, and no secret is sent.
        unverified = ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection(host, port, timeout=remaining, context=unverified)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=remaining)
    # The timeout of a socket applies to each read: a response sent byte by byte would never reach it.
    expired = threading.Event()
    timer = threading.Timer(remaining, _abort, (connection, expired))
    timer.start()
    with closing(connection):
        response = _read_response(connection, path, secure=secure)
        timer.cancel()
    return Response(0, failure=ProbeFailure.TIMEOUT) if expired.is_set() else response


def _read_response(connection: http.client.HTTPConnection, path: str, *, secure: bool) -> Response:
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read(MAX_RESPONSE_BYTES)
        return Response(response.status, body, response.getheader("Server", ""), secure)
    except ConnectionRefusedError:
        return Response(0, failure=ProbeFailure.REFUSED)
    except TimeoutError:
        return Response(0, failure=ProbeFailure.TIMEOUT)
    except (http.client.HTTPException, ConnectionError, ssl.SSLError):
        return Response(0, failure=ProbeFailure.NOT_HTTP)
    except OSError:
        return Response(0, failure=ProbeFailure.NETWORK)


def _abort(connection: http.client.HTTPConnection, expired: threading.Event) -> None:
    expired.set()
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _listening_process(port: int) -> int | None:
    """Return the PID of the process that listens on a port; None if there is none or this user may not see it."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return None
    listeners = (c.pid for c in connections if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port)
    return next((pid for pid in listeners if pid), None)

"""Socket functions of the HTTP server: bind, wrap in TLS, check client, reject."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Collection
from contextlib import suppress

from tornado.iostream import IOStream, SSLIOStream

from monitor.errors import MonitorError
from monitor.web.tls import subject_alt_names

MAX_BUFFER_BYTES = 262_144
"""Largest size of the read buffer of one connection, in bytes."""


def bind(address: tuple[str, int]) -> socket.socket:
    """Return a non-blocking listening socket.

    Args:
        address: host (name, IPv4 or IPv6 address) and port.

    Raises:
        MonitorError: the address cannot be bound.
    """
    host, port = address
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # `create_server` would resolve the name as well, and report a failure with an unknown error number.
        *_, resolved = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0]
        listening = socket.create_server(resolved, family=family, backlog=128)
    except (OSError, ValueError) as error:
        raise MonitorError(f"web.listen: {host}:{port} cannot be bound: {_bind_problem(error)}") from error
    listening.setblocking(False)
    return listening


def _bind_problem(error: OSError | ValueError) -> str:
    """Return the reason why an address cannot be bound in a few words."""
    if isinstance(error, ValueError):
        return "not a host name"
    if error.errno == errno.EADDRINUSE:
        return "already in use"
    # The text of an error of `create_server` repeats the address.
    return str(error.strerror) if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)


class RebindError(MonitorError):
    """Raised if a new address cannot be bound.

    Attributes:
        previous: socket that listens on the previous address.
    """

    def __init__(self, message: str, previous: socket.socket) -> None:
        super().__init__(message)
        self.previous = previous


def rebind(listening: socket.socket, address: tuple[str, int]) -> socket.socket:
    """Return a socket that listens on another address, and close the previous one.

    The previous socket is closed first only if it may occupy the port of the new address.

    Args:
        listening: socket to replace.
        address: host and port of the new socket.

    Raises:
        RebindError: the new address cannot be bound.
    """
    previous = listening.getsockname()
    try:
        new = bind(address)
    except MonitorError as error:
        if previous[1] != address[1]:
            raise RebindError(str(error), listening) from error
    else:
        listening.close()
        return new
    listening.close()
    try:
        return bind(address)
    except MonitorError as error:
        raise RebindError(str(error), bind((previous[0], previous[1]))) from error


def make_stream(connection: socket.socket, tls_context: ssl.SSLContext | None) -> IOStream:
    """Return a buffered stream over an accepted connection.

    Args:
        connection: the non-blocking socket.
        tls_context: context of the TLS handshake, which happens on the first read; None for plain HTTP.

    Raises:
        OSError: the client has disconnected already.
    """
    if tls_context is None:
        return IOStream(connection, max_buffer_size=MAX_BUFFER_BYTES)
    wrapped = tls_context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
    return SSLIOStream(wrapped, max_buffer_size=MAX_BUFFER_BYTES)


def reject_connection(connection: socket.socket, *, encrypted: bool) -> None:
    """Close a connection; over plain HTTP, send status 503 first."""
    if not encrypted:
        with suppress(OSError):
            connection.send(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    connection.close()


def page_url(host: str, port: int, *, encrypted: bool) -> str:
    """Return the URL of the page on a listening socket, as seen from this machine.

    Args:
        host: IPv4 or IPv6 address; the wildcard addresses `0.0.0.0` and `::` become localhost.
        port: TCP port.
        encrypted: True if the server requires TLS.
    """
    if host in ("0.0.0.0", "::"):  # noqa: S104  compared, not bound
        host = "localhost"
    name = f"[{host}]" if ":" in host else host
    return f"{'https' if encrypted else 'http'}://{name}:{port}/"


def client_allowed(stream: IOStream, allowed: Collection[str]) -> bool:
    """Return True if the client certificate has a name in `allowed`, or if TLS or `allowed` is not in use."""
    if not allowed or not isinstance(stream, SSLIOStream):
        return True
    certificate = stream.socket.getpeercert() if stream.socket else None
    return not subject_alt_names(certificate or {}).isdisjoint(allowed)

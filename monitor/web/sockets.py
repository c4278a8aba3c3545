"""Socket functions of the HTTP server: bind, wrap in TLS, check client, reject."""

from __future__ import annotations

import errno
import os
import resource
import select
import socket
import ssl
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from tornado.iostream import IOStream, SSLIOStream

from monitor.errors import MonitorError
from monitor.web.tls import subject_alt_names

RESERVED_DESCRIPTORS = 8
"""Number of file descriptors that the server keeps in reserve."""

OTHER_DESCRIPTORS = 64
"""Number of file descriptors left to the other parts of the process."""

MIN_CONNECTIONS = 8
"""Smallest limit of open connections, whatever the limit of open files."""

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


@dataclass(frozen=True)
class ConnectionContext:
    """Attributes of a connection that tornado copies into each request."""

    remote_ip: str
    protocol: str


class OpenConnections:
    """Open connections, and those without a complete request in the order in which they began to wait for one."""

    def __init__(self) -> None:
        self._streams: dict[object, IOStream] = {}
        self._waiting: dict[object, None] = {}

    def __len__(self) -> int:
        return len(self._streams)

    def add(self, connection: object, stream: IOStream) -> None:
        """Add a new connection, which waits for its first request."""
        self._streams[connection] = stream
        self._waiting[connection] = None

    def wait(self, connection: object) -> None:
        """Move a connection to the end of those that wait for a request."""
        self.stop_waiting(connection)
        self._waiting[connection] = None

    def stop_waiting(self, connection: object) -> None:
        """Mark a connection as one with a complete request, which is not evicted."""
        self._waiting.pop(connection, None)

    def remove(self, connection: object) -> None:
        """Remove a closed connection."""
        self.stop_waiting(connection)
        self._streams.pop(connection, None)

    def evict_longest_waiting(self) -> bool:
        """Close the connection that has waited longest for a complete request; return False if none waits."""
        for connection in self._waiting:
            del self._waiting[connection]
            self._streams.pop(connection).close()
            return True
        return False

    def close(self) -> None:
        """Close all connections."""
        for stream in list(self._streams.values()):
            stream.close()


class DescriptorReserve:
    """Open file descriptors that are closed when no other one is free, so that a connection can be accepted."""

    def __init__(self, size: int = RESERVED_DESCRIPTORS) -> None:
        """Open the descriptors."""
        self._size = size
        self._held: list[int] = []
        self.refill()

    def refill(self) -> None:
        """Open descriptors again, as far as the limit of the process allows it."""
        with suppress(OSError):
            while len(self._held) < self._size:
                self._held.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))

    def release_one(self) -> bool:
        """Close one descriptor; return False if none is left."""
        if not self._held:
            return False
        os.close(self._held.pop())
        return True

    def close(self) -> None:
        """Close all descriptors."""
        while self.release_one():
            pass


def has_pending_connection(listening: socket.socket) -> bool:
    """Return True if a client waits for `accept`, which fails without a free descriptor even if no client waits."""
    poll = select.poll()
    poll.register(listening, select.POLLIN)
    return bool(poll.poll(0))


def connection_capacity(limit: int) -> int:
    """Return the largest number of connections: `limit`, or fewer if the process may open few files.

    Database, sources and logs need OTHER_DESCRIPTORS; a few connections are always allowed.
    """
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(limit, max(MIN_CONNECTIONS, allowed - OTHER_DESCRIPTORS))


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

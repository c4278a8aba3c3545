"""The sockets: one thread reads and writes them all, a few answer, and nobody holds a place for long.

tornado speaks HTTP and TLS; what is here bounds it. Where all places are taken, the connection that has been waiting
longest without a whole request makes room: slow clients push each other out, and a scrape, which takes
milliseconds, gets through.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tornado.http1connection import HTTP1ConnectionParameters, HTTP1ServerConnection
from tornado.httputil import HTTPServerConnectionDelegate
from tornado.iostream import IOStream, SSLIOStream
from tornado.wsgi import WSGIContainer

from monitor.errors import MonitorError
from monitor.system.logging import get_logger
from monitor.web.connection import Exchange, Limits
from monitor.web.middleware import FOR_MACHINES
from monitor.web.tls import names_of
from monitor.web.web_config.loader import WebFile
from monitor.web.worker_pool import Lane

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

log = get_logger(__name__)

ACCEPTED = 64
"""Connections that are taken in one go, before those that are there have their turn."""


@dataclass(frozen=True)
class Client:
    """What tornado tells a request of its connection."""

    remote_ip: str
    protocol: str


class WebServer(HTTPServerConnectionDelegate):
    """The endpoint, bound when it is made and answering between `start` and `close`."""

    def __init__(
        self,
        address: tuple[str, int],
        application: WSGIApplication,
        web_file: Callable[[], WebFile] = WebFile,
        limits: Limits | None = None,
    ) -> None:
        """Binds. `web_file` gives what the web.config.yml says now.

        Raises:
            MonitorError: the address cannot be bound.
        """
        self._container, self._web_file, self._limits = WSGIContainer(application), web_file, limits or Limits()
        self._socket = _bound(address)
        self.port = int(self._socket.getsockname()[1])
        self._open: dict[object, IOStream] = {}
        # the longest waiting comes first
        self._waiting: dict[object, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._parameters = HTTP1ConnectionParameters(
            # Beyond `header_bytes` a sentence is said; beyond this the connection is cut.
            max_header_size=4 * self._limits.header_bytes,
            header_timeout=self._limits.wait_seconds,
            max_body_size=self._limits.body_bytes,
            body_timeout=self._limits.wait_seconds,
        )
        self._machines = Lane("machines", threads=3, waiting=200, unsent_bytes=8 * 2**20)
        self._people = Lane("people", threads=1, waiting=32, unsent_bytes=8 * 2**20)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._open)

    def start(self) -> None:
        """Answers requests from here on, in threads of its own."""
        self._thread.start()

    def close(self) -> None:
        """Closes every connection; running answers are cut off."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(1.0)
        else:
            self._socket.close()
            self._loop.close()
        self._machines.close()
        self._people.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.add_reader(self._socket, self._accept)
        try:
            self._loop.run_forever()
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._loop.run_until_complete(self._cut())
        finally:
            self._loop.close()

    async def _cut(self) -> None:
        for stream in list(self._open.values()):
            stream.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _accept(self) -> None:
        for _ in range(ACCEPTED):
            try:
                connection, address = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    self._pause()
                    return
                continue
            self._take(connection, str(address[0]))

    def _pause(self) -> None:
        """No descriptor is left: one that waits is given up, and the rest of the queue has to be patient."""
        self._make_room()
        self._loop.remove_reader(self._socket)
        self._loop.call_later(0.1, self._loop.add_reader, self._socket, self._accept)

    def _take(self, connection: socket.socket, remote: str) -> None:
        connection.setblocking(False)
        context = self._web_file().context
        if len(self._open) >= self._limits.connections and not self._make_room():
            _turn_away(connection, secure=context is not None)
            return
        try:
            stream = _stream(connection, context)
        except OSError:
            # gone already
            connection.close()
            return
        client = Client(remote, "https" if context else "http")
        opened = HTTP1ServerConnection(stream, self._parameters, client)
        self._open[opened], self._waiting[opened] = stream, None
        opened.start_serving(self)

    def _make_room(self) -> bool:
        """Cuts the connection that has waited longest; says whether there was one."""
        for connection in self._waiting:
            del self._waiting[connection]
            self._open.pop(connection).close()
            return True
        return False

    def start_request(self, server_conn: object, request_conn: Any) -> Exchange:
        self._waiting.pop(server_conn, None)
        self._waiting[server_conn] = None
        return Exchange(request_conn, self._container, self._limits, partial(self._whole, server_conn))

    def on_close(self, server_conn: object) -> None:
        self._waiting.pop(server_conn, None)
        self._open.pop(server_conn, None)

    def _whole(self, server_conn: object, exchange: Exchange) -> None:
        self._waiting.pop(server_conn, None)
        task = self._loop.create_task(self._answer(exchange))
        # the loop itself would let go of it
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, exchange: Exchange) -> None:
        try:
            if not self._known(exchange.stream):
                exchange.stream.close()
                return
            await (self._machines if exchange.path in FOR_MACHINES else self._people).answer(exchange)
        except Exception as error:
            log.critical("response failed", exc_info=error)
            exchange.stream.close()

    def _known(self, stream: IOStream) -> bool:
        """Whether the client's certificate has one of the names that are allowed."""
        allowed = self._web_file().allowed_sans
        if not allowed or not isinstance(stream, SSLIOStream):
            return True
        certificate = stream.socket.getpeercert() if stream.socket else None
        return bool(allowed & names_of(certificate or {}))


def _bound(address: tuple[str, int]) -> socket.socket:
    host, port = address
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        why = "already in use" if error.errno == errno.EADDRINUSE else os.strerror(error.errno or 0)
        raise MonitorError(f"web.listen: {host}:{port} cannot be bound: {why}") from error
    bound.setblocking(False)
    return bound


def _stream(connection: socket.socket, context: ssl.SSLContext | None) -> IOStream:
    """Bounded, and encrypted where there is a context; the handshake comes with the first reading."""
    if context is None:
        return IOStream(connection, max_buffer_size=262_144)
    wrapped = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
    return SSLIOStream(wrapped, max_buffer_size=262_144)


def _turn_away(connection: socket.socket, *, secure: bool) -> None:
    """Says so and closes; one that awaits a handshake would not understand."""
    if not secure:
        with suppress(OSError):
            connection.send(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    connection.close()

"""HTTP server: non-blocking sockets on one thread, with limits that stop slow and hostile clients.

tornado implements HTTP and TLS; this module adds the limits. When all connections are in use, the connection that has
waited longest for a complete request is closed. Slow clients therefore replace each other, and a scrape succeeds.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

# Imported by tornado at the first connection, which may come when no descriptor is free.
import tornado.platform.asyncio  # noqa: F401
from tornado.http1connection import HTTP1ServerConnection
from tornado.httputil import HTTPServerConnectionDelegate
from tornado.wsgi import WSGIContainer

from monitor.system.log_throttle import RecurringFailure, log_and_pause
from monitor.system.logging import get_logger
from monitor.web.connection import Limits, RequestHandler
from monitor.web.middleware import MACHINE_PATHS
from monitor.web.sockets import (
    ConnectionContext,
    DescriptorReserve,
    OpenConnections,
    RebindError,
    bind,
    client_allowed,
    connection_capacity,
    has_pending_connection,
    make_stream,
    page_url,
    rebind,
    reject_connection,
)
from monitor.web.web_config.loader import WebConfigFile
from monitor.web.worker_pool import WorkerPool

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

log = get_logger(__name__)

ACCEPT_BATCH = 64
"""Largest number of connections accepted in a row before the event loop serves the open connections."""

ACCEPT_PAUSE_SECONDS = 0.1
"""Seconds without accepting connections after the process ran out of file descriptors."""

REBIND_SECONDS = 5.0
"""Longest time in seconds to wait for the server thread to change its address."""

MAX_UNSENT_BYTES = 8 * 2**20
"""Largest total size, in bytes, of the responses of one worker pool that clients have not received yet."""

OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class WebServer(HTTPServerConnectionDelegate):
    """HTTP endpoint: bound on construction, serving between `start` and `close`.

    Scrapes and probes have a worker pool of their own, so that they never wait for the page or the API.
    """

    def __init__(
        self,
        address: tuple[str, int],
        application: WSGIApplication,
        web_config: Callable[[], WebConfigFile] = WebConfigFile,
        limits: Limits | None = None,
    ) -> None:
        """Bind the socket; no connection is accepted before `start`.

        Args:
            address: host and port to listen on.
            application: WSGI application that handles the requests.
            web_config: returns the current contents of web.config.yml.
            limits: resource limits, by default those of Limits.

        Raises:
            MonitorError: the address cannot be bound.
        """
        self._container = WSGIContainer(application)
        self._web_config = web_config
        self._limits = limits or Limits()
        self._address = address
        self._socket = bind(address)
        self.port = int(self._socket.getsockname()[1])
        self._connections = OpenConnections()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()  # Before the reserve, which takes what is left.
        self._reserve = DescriptorReserve()
        self._closing = False
        self._failure = RecurringFailure(log, "response failed", "responses recovered", level=logging.CRITICAL)
        self._parameters = self._limits.parameters
        self._machine_pool = WorkerPool("machines", threads=3, max_pending=200, max_unsent_bytes=MAX_UNSENT_BYTES)
        self._user_pool = WorkerPool("users", threads=1, max_pending=32, max_unsent_bytes=MAX_UNSENT_BYTES)
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def open_connections(self) -> int:
        """Number of open connections."""
        return len(self._connections)

    @property
    def url(self) -> str:
        """Return the URL of the web page, as seen from this machine."""
        encrypted = self._web_config().tls_context is not None
        return page_url(self._socket.getsockname()[0], self.port, encrypted=encrypted)

    def start(self) -> None:
        """Start the server thread, which accepts connections."""
        self._thread.start()

    def use(self, application: WSGIApplication, web_config: Callable[[], WebConfigFile] = WebConfigFile) -> None:
        """Handle the following requests and connections with another application and web.config.yml."""
        self._web_config = web_config
        self._container = WSGIContainer(application)

    def rebind(self, address: tuple[str, int]) -> None:
        """Listen on another address; open connections continue.

        Raises:
            MonitorError: the address cannot be bound, and the server still listens on the previous one.
        """
        if address != self._address:
            asyncio.run_coroutine_threadsafe(self._rebind(address), self._loop).result(REBIND_SECONDS)

    def close(self) -> None:
        """Close the socket and all connections; unfinished responses are aborted."""
        self._closing = True
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(1.0)
        else:
            self._socket.close()
            self._loop.close()
        self._machine_pool.close()
        self._user_pool.close()

    def start_request(self, server_conn: object, request_conn: Any) -> RequestHandler:
        self._connections.wait(server_conn)
        on_request = partial(self._handle_request, server_conn)
        return RequestHandler(request_conn, self._container, self._limits, on_request)

    def on_close(self, server_conn: object) -> None:
        self._connections.remove(server_conn)
        self._reserve.refill()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda _, context: self._failure.failure(context.get("exception")))
        self._loop.add_reader(self._socket, self._accept)
        try:
            while not self._closing:
                with log_and_pause(self._failure, ACCEPT_PAUSE_SECONDS):
                    self._loop.run_forever()
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._loop.run_until_complete(self._close_connections())
        finally:
            self._loop.close()
            self._reserve.close()

    async def _rebind(self, address: tuple[str, int]) -> None:
        self._loop.remove_reader(self._socket)
        try:
            self._socket = rebind(self._socket, address)
            self._address = address
        except RebindError as error:
            self._socket = error.previous
            raise
        finally:
            self._loop.add_reader(self._socket, self._accept)
        self.port = int(self._socket.getsockname()[1])

    async def _close_connections(self) -> None:
        self._connections.close()
        other_tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in other_tasks:
            task.cancel()
        await asyncio.gather(*other_tasks, return_exceptions=True)

    def _accept(self) -> None:
        for _ in range(ACCEPT_BATCH):
            try:
                connection, address = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in OUT_OF_RESOURCES and not self._make_room():
                    return
            else:
                self._open_connection(connection, str(address[0]))

    def _make_room(self) -> bool:
        """Free a descriptor for a waiting client; return False if none waits, or if accepting pauses."""
        if not has_pending_connection(self._socket):
            return False
        if self._connections.evict_longest_waiting() or self._reserve.release_one():
            return True
        self._loop.remove_reader(self._socket)
        self._loop.call_later(ACCEPT_PAUSE_SECONDS, lambda: self._loop.add_reader(self._socket, self._accept))
        return False

    def _open_connection(self, connection: socket.socket, remote_ip: str) -> None:
        connection.setblocking(False)
        tls_context = self._web_config().tls_context
        full = len(self._connections) >= connection_capacity(self._limits.connections)
        if full and not self._connections.evict_longest_waiting():
            reject_connection(connection, encrypted=tls_context is not None)
            return
        try:
            stream = make_stream(connection, tls_context)
        except OSError:
            # The client has disconnected already.
            connection.close()
            return
        context = ConnectionContext(remote_ip, "https" if tls_context else "http")
        server_conn = HTTP1ServerConnection(stream, self._parameters, context)
        self._connections.add(server_conn, stream)
        server_conn.start_serving(self)

    def _handle_request(self, server_conn: object, handler: RequestHandler) -> None:
        """Process a complete request in a new task; its connection is no longer evicted."""
        self._connections.stop_waiting(server_conn)
        task = self._loop.create_task(self._process(handler))
        # The event loop keeps only weak references to tasks.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _process(self, handler: RequestHandler) -> None:
        try:
            if not client_allowed(handler.stream, self._web_config().allowed_sans):
                handler.stream.close()
                return
            for_machines = handler.path in MACHINE_PATHS
            pool = self._machine_pool if for_machines else self._user_pool
            await pool.process(handler, in_loop=for_machines and not self._web_config().users)
        except Exception as error:
            self._failure.failure(exc_info=error)
            handler.stream.close()
        else:
            self._failure.success()

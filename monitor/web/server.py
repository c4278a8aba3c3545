"""HTTP server: non-blocking sockets on one thread, with limits that stop slow and hostile clients.

tornado implements HTTP and TLS; this module adds the limits. When all connections are in use, the connection that has
waited longest for a complete request is closed. Slow clients therefore replace each other, and a scrape, which takes
milliseconds, succeeds.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tornado.http1connection import HTTP1ConnectionParameters, HTTP1ServerConnection
from tornado.httputil import HTTPServerConnectionDelegate
from tornado.iostream import IOStream
from tornado.wsgi import WSGIContainer

from monitor.system.logging import get_logger
from monitor.web.connection import Limits, RequestHandler
from monitor.web.middleware import MACHINE_PATHS
from monitor.web.sockets import RebindError, bind, client_allowed, make_stream, page_url, rebind, reject_connection
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


@dataclass(frozen=True)
class ConnectionContext:
    """Attributes of a connection that tornado copies into each request."""

    remote_ip: str
    protocol: str


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
            limits: resource limits; None for the defaults.

        Raises:
            MonitorError: the address cannot be bound.
        """
        self._container = WSGIContainer(application)
        self._web_config = web_config
        self._limits = limits or Limits()
        self._address = address
        self._socket = bind(address)
        self.port = int(self._socket.getsockname()[1])
        self._open: dict[object, IOStream] = {}
        # Connections without a complete request, in the order in which they began to wait.
        self._waiting: dict[object, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._parameters = HTTP1ConnectionParameters(
            # Headers beyond `header_bytes` get an error response; beyond this limit tornado closes the connection.
            max_header_size=4 * self._limits.header_bytes,
            header_timeout=self._limits.request_seconds,
            max_body_size=self._limits.body_bytes,
            body_timeout=self._limits.request_seconds,
        )
        self._machine_pool = WorkerPool("machines", threads=3, max_pending=200, max_unsent_bytes=MAX_UNSENT_BYTES)
        self._user_pool = WorkerPool("users", threads=1, max_pending=32, max_unsent_bytes=MAX_UNSENT_BYTES)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def open_connections(self) -> int:
        """Return the number of open connections."""
        return len(self._open)

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
            MonitorError: the address cannot be bound; the server still listens on the previous one.
        """
        if address != self._address:
            asyncio.run_coroutine_threadsafe(self._rebind(address), self._loop).result(REBIND_SECONDS)

    def close(self) -> None:
        """Close the socket and all connections; unfinished responses are aborted."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(1.0)
        else:
            self._socket.close()
            self._loop.close()
        self._machine_pool.close()
        self._user_pool.close()

    def start_request(self, server_conn: object, request_conn: Any) -> RequestHandler:
        self._waiting.pop(server_conn, None)
        self._waiting[server_conn] = None
        on_request = partial(self._handle_request, server_conn)
        return RequestHandler(request_conn, self._container, self._limits, on_request)

    def on_close(self, server_conn: object) -> None:
        self._waiting.pop(server_conn, None)
        self._open.pop(server_conn, None)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.add_reader(self._socket, self._accept)
        try:
            self._loop.run_forever()
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._loop.run_until_complete(self._close_connections())
        finally:
            self._loop.close()

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
        for stream in list(self._open.values()):
            stream.close()
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
                if error.errno in OUT_OF_RESOURCES:
                    self._pause_accepting()
                    return
                continue
            self._open_connection(connection, str(address[0]))

    def _pause_accepting(self) -> None:
        """Close the connection that waits longest, if any, and stop accepting for ACCEPT_PAUSE_SECONDS."""
        self._evict_longest_waiting()
        self._loop.remove_reader(self._socket)
        self._loop.call_later(ACCEPT_PAUSE_SECONDS, lambda: self._loop.add_reader(self._socket, self._accept))

    def _open_connection(self, connection: socket.socket, remote_ip: str) -> None:
        connection.setblocking(False)
        tls_context = self._web_config().tls_context
        full = len(self._open) >= self._limits.connections
        if full and not self._evict_longest_waiting():
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
        self._open[server_conn] = stream
        self._waiting[server_conn] = None
        server_conn.start_serving(self)

    def _evict_longest_waiting(self) -> bool:
        """Close the connection that has waited longest for a complete request; return False if none waits."""
        for server_conn in self._waiting:
            del self._waiting[server_conn]
            self._open.pop(server_conn).close()
            return True
        return False

    def _handle_request(self, server_conn: object, handler: RequestHandler) -> None:
        """Process a complete request in a new task; `_evict_longest_waiting` no longer closes its connection."""
        self._waiting.pop(server_conn, None)
        task = self._loop.create_task(self._process(handler))
        # The event loop keeps only weak references to tasks.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _process(self, handler: RequestHandler) -> None:
        try:
            if not client_allowed(handler.stream, self._web_config().allowed_sans):
                handler.stream.close()
                return
            pool = self._machine_pool if handler.path in MACHINE_PATHS else self._user_pool
            await pool.process(handler)
        except Exception as error:
            log.critical("response failed", exc_info=error)
            handler.stream.close()

"""The sockets: one thread reads them all and a few answer, so half-open connections hold memory and nothing else."""

from __future__ import annotations

import errno
import socket
import threading
from typing import Any

import waitress.server
from waitress import wasyncore

from monitor.errors import MonitorError
from monitor.web.application import Application

THREADS = 4
CONNECTIONS = 600
"""Connections at most; the next ones wait in the kernel's queue."""

IDLE_SECONDS = 10
"""A connection that has sent nothing whole for this long is closed."""


class WebServer:
    """The endpoint, bound when it is made and answering between `start` and `close`."""

    def __init__(self, address: tuple[str, int], application: Application) -> None:
        """Binds.

        Raises:
            MonitorError: the address cannot be bound.
        """
        host, port = address
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            bound = socket.create_server((host, port), family=family, backlog=128)
        except OSError as error:
            why = "already in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
            raise MonitorError(f"web.listen: {host}:{port} cannot be bound: {why}") from error
        self._server: Any = waitress.server.create_server(
            application,
            sockets=[bound],
            threads=THREADS,
            connection_limit=CONNECTIONS,
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=5,
            max_request_header_size=16_384,
            max_request_body_size=65_536,
            asyncore_use_poll=True,
            # it is woken by what arrives; by itself it only looks for idle connections
            asyncore_loop_timeout=5,
            ident="monitor",
            map={},
        )
        self._thread = threading.Thread(target=self._server.run, name="web", daemon=True)

    @property
    def port(self) -> int:
        """The port that was bound."""
        return int(self._server.effective_port)

    def start(self) -> None:
        """Answers requests from here on, in threads of its own."""
        self._thread.start()

    def close(self) -> None:
        """Closes every connection; running answers are cut off."""
        if not self._thread.is_alive():
            self._server.close()
            return
        # The loop owns its sockets: it is asked, by its own trigger, to close them all, and then runs out.
        self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._server._map))
        self._thread.join(1.0)

"""Remote writer: queue of requests to one server, which are repeated while it is away."""

from __future__ import annotations

import os
import ssl
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from http.client import HTTPException
from typing import Any

from model.array_types import Floats
from monitor.config.http_client_config import load_http_settings
from monitor.config.loader import Config
from monitor.errors import MAX_PROBLEM_LENGTH, shortened
from monitor.fleet.process.state import FleetState
from monitor.fleet.remote_write.messages import check_libraries, write_requests
from monitor.fleet.remote_write.state import RemoteWriteState
from monitor.sampling.history_sources.http_settings import HttpSettings, tls_context
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger
from monitor.system.redaction import redact_url

log = get_logger(__name__)

TIMEOUT = 10.0
"""Seconds to wait for the answer of the server."""

MAX_PENDING = 2000
"""Largest number of requests that wait; the oldest are dropped. A step of 10,000 hosts has 75."""

REPEATED_STATUSES = frozenset({429, 500, 502, 503, 504})
"""Statuses after which a request is repeated; after others, it is dropped, as the specification asks."""

HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
    "User-Agent": "monitor",
}


class RemoteWriter:
    """Periodic job that sends the metrics of the hosts after each step. For use by one thread."""

    def __init__(
        self,
        url: str,
        settings: HttpSettings,
        state: Callable[[], FleetState],
        publish: Callable[[RemoteWriteState], None],
    ) -> None:
        """Initialize without a connection.

        Args:
            url: URL to which the requests are sent.
            settings: settings of the connections.
            state: returns the current state of the process.
            publish: receives the counters after each run.

        Raises:
            MonitorError: a certificate or a key cannot be loaded.
        """
        self._url = url
        self._settings = settings
        self._state = state
        self._publish = publish
        self._pending: deque[bytes] = deque()
        self._sent_times: Floats | None = None
        self._counters = RemoteWriteState()
        self._failure = RecurringFailure(log, "remote write failed", "remote write recovered")
        proxies = {"http": settings.proxy_url, "https": settings.proxy_url} if settings.proxy_url else None
        context: ssl.SSLContext = tls_context(settings)
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler(proxies), urllib.request.HTTPSHandler(context=context), _NoRedirects()
        )

    def run(self) -> None:
        """Queue the metrics of a new step, and send what waits until the server fails."""
        state = self._state()
        # Each step has other times; a host that becomes stale changes the table only.
        if state.table.last_seen is not self._sent_times and state.table.hosts:
            self._sent_times = state.table.last_seen
            self._pending.extend(write_requests(state))
            self._drop_oldest()
        while self._pending and self._send(self._pending[0]):
            self._pending.popleft()
        self._counters = replace(self._counters, pending=len(self._pending))
        self._publish(self._counters)

    def _drop_oldest(self) -> None:
        surplus = len(self._pending) - MAX_PENDING
        for _ in range(surplus):
            self._pending.popleft()
        if surplus > 0:
            self._counters = replace(self._counters, dropped=self._counters.dropped + surplus)

    def _send(self, body: bytes) -> bool:
        """Send one request; return True if it is done, accepted or not, and False to repeat it later."""
        request = urllib.request.Request(self._url, data=body, headers=HEADERS, method="POST")  # noqa: S310 - the scheme is checked
        for name, value in self._settings.headers.items():
            request.add_unredirected_header(name, value)
        try:
            with self._opener.open(request, timeout=self._settings.timeout):
                pass
        except urllib.error.HTTPError as answer:
            with answer:
                text = shortened(answer.read(MAX_PROBLEM_LENGTH).decode(errors="replace").strip(), MAX_PROBLEM_LENGTH)
            return self._failed(f"status {answer.code}: {text}", is_final=answer.code not in REPEATED_STATUSES)
        except (OSError, HTTPException) as error:
            return self._failed(str(getattr(error, "reason", None) or error), is_final=False)
        self._failure.success()
        self._counters = replace(self._counters, sent=self._counters.sent + 1, error=None)
        return True

    def _failed(self, problem: str, *, is_final: bool) -> bool:
        self._failure.failure(url=redact_url(self._url), error=problem)
        self._counters = replace(
            self._counters,
            failures=self._counters.failures + 1,
            dropped=self._counters.dropped + is_final,
            error=problem,
        )
        return is_final


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Handler that follows no redirect: another server must not receive the credentials."""

    def redirect_request(self, *_: Any) -> None:
        return None


def create_writer(
    config: Config, state: Callable[[], FleetState], publish: Callable[[RemoteWriteState], None]
) -> RemoteWriter:
    """Return the writer of a configuration with fleet.remote_write_url.

    Raises:
        ConfigError: a library is missing, or the HTTP client configuration is invalid.
    """
    check_libraries()
    name = config.fleet.remote_write_http_config_file
    path = config.directory / name if name else None
    settings = load_http_settings(path, {}, _without_source_secrets(), user="", timeout=TIMEOUT)
    return RemoteWriter(config.fleet.remote_write_url, settings, state, publish)


def _without_source_secrets() -> dict[str, str]:
    """Return the environment without the credentials of the source, which are for another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_PROMETHEUS_")}

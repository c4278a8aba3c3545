"""HTTP client for the Prometheus API: authentication, TLS, proxies, retries with backoff."""

from __future__ import annotations

import json
import logging
import math
import socket
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any

from monitor.errors import MAX_PROBLEM_LENGTH, MonitorError, shortened
from monitor.sampling.history_sources.http_answers import (
    MAX_ANSWER_BYTES,
    HttpStatusError,
    OptionNames,
    Response,
    TransientError,
    read_body,
    status_error,
)
from monitor.sampling.history_sources.http_settings import HttpSettings, tls_context
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger
from monitor.system.outgoing_http import NoRedirects
from monitor.system.redaction import redact_url

log = get_logger(__name__)

ATTEMPTS = 6
"""Number of attempts of a request without a deadline that fails for a reason that may pass."""

FIRST_DELAY = 1.0
"""Seconds before the second attempt; the delay doubles with each attempt."""

LEAST_TIMEOUT = 0.05
"""Shortest time in seconds to wait for an answer just before the deadline."""

NO_POST_STATUSES = frozenset({405, 501})
"""Statuses of servers that accept GET only, such as proxies that allow reading."""


class HttpClient:
    """Client of one server with the Prometheus API; several threads may use it.

    Attributes:
        url: base URL without credentials, for messages.
        clock_skew: seconds by which the clock of the server is ahead of this host; None before the first answer.
    """

    def __init__(
        self,
        url: str,
        settings: HttpSettings,
        *,
        names: OptionNames = OptionNames(),  # noqa: B008 - immutable
        accepts_partial: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Initialize a client; the first request opens the connection.

        Args:
            url: base URL with its path prefix.
            settings: settings of the connections.
            names: names of the options that messages recommend.
            accepts_partial: True to return answers that are marked as partial.
            sleep: waits for a number of seconds.

        Raises:
            MonitorError: a certificate or a key cannot be loaded.
        """
        self.url = redact_url(url)
        self.clock_skew: float | None = None
        self._base = url.rstrip("/")
        self._settings = settings
        self._names = names
        self._accepts_partial = accepts_partial
        self._sleep = sleep
        self._has_answered = False
        self._repeats = RecurringFailure(log, "request repeated", "request answered again", level=logging.WARNING)
        self._repeats_lock = threading.Lock()
        self._posts = True
        proxies = {"http": settings.proxy_url, "https": settings.proxy_url} if settings.proxy_url else None
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler(proxies),
            urllib.request.HTTPSHandler(context=tls_context(settings)),
            NoRedirects(),
        )

    def get(self, path: str, parameters: Mapping[str, str], deadline: float = math.inf) -> Any:
        """Return the JSON document of an answer with status 200.

        A request that fails for a reason that may pass is repeated, with a delay that doubles: until the deadline, or
        ATTEMPTS times without one.

        Args:
            path: path below the base URL.
            parameters: query parameters.
            deadline: time of the monotonic clock at which waiting ends.

        Raises:
            ExpensiveQueryError: the query is too expensive.
            HttpStatusError: the last answer has another status.
            MonitorError: the server cannot be reached, or its answer is partial or no JSON.
        """
        return self._repeated(f"{self._base}/{path}?{urllib.parse.urlencode(parameters)}", None, deadline)

    def post(self, path: str, parameters: Mapping[str, str], deadline: float = math.inf) -> Any:
        """Return the JSON document as `get` does, for parameters of any length; GET if the server accepts no POST."""
        if self._posts:
            try:
                body = urllib.parse.urlencode(parameters).encode()
                return self._repeated(f"{self._base}/{path}", body, deadline)
            except HttpStatusError as error:
                if error.status not in NO_POST_STATUSES:
                    raise
                self._posts = False
        return self.get(path, parameters, deadline)

    def _repeated(self, url: str, body: bytes | None, deadline: float) -> Any:
        delay = FIRST_DELAY
        attempt = 1
        while True:
            try:
                document = self._attempt(url, body, deadline)
            except TransientError as error:
                seconds = error.retry_after or delay
                is_last = attempt == ATTEMPTS if math.isinf(deadline) else time.monotonic() + seconds >= deadline
                if is_last:
                    raise error.problem from error
                with self._repeats_lock:
                    self._repeats.failure(error=str(error), seconds=seconds)
                self._sleep(seconds)
                delay *= 2
                attempt += 1
            else:
                with self._repeats_lock:
                    self._repeats.success()
                return document

    def _attempt(self, url: str, body: bytes | None, deadline: float) -> Any:
        """Return the document of one request.

        Raises:
            TransientError: another attempt may succeed.
            MonitorError: another attempt would fail as well.
        """
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310
        for name, value in self._settings.headers.items():
            request.add_unredirected_header(name, value)
        timeout = max(LEAST_TIMEOUT, min(self._settings.timeout, deadline - time.monotonic()))
        try:
            with self._opener.open(request, timeout=timeout) as response:
                document = self._document(response, response.status, deadline)
        except urllib.error.HTTPError as response:
            with response:
                raise self._status_error(response, deadline) from response
        except (OSError, HTTPException) as error:
            raise self._connection_error(error, timeout) from error
        if isinstance(document, dict) and document.get("isPartial") and not self._accepts_partial:
            raise TransientError(MonitorError(f"{self.url}: the answer is partial: a storage node is not available"))
        return document

    def _document(self, response: Response, status: int, deadline: float) -> Any:
        """Return the JSON document of an answer; raise MonitorError if it is too large or no JSON."""
        body = read_body(response, deadline)
        if len(body) > MAX_ANSWER_BYTES:
            raise MonitorError(
                f"{self.url}: an answer exceeds {MAX_ANSWER_BYTES >> 20} MiB: use a narrower {self._names.selector}"
            )
        self._has_answered = True
        self._note_clock(response.headers)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            kind = response.headers.get_content_type()
            raise MonitorError(
                f"{self.url}: answered with {kind} instead of JSON (status {status}): is this the URL of a "
                "Prometheus API, with its path prefix?"
            ) from error

    def _status_error(self, response: urllib.error.HTTPError, deadline: float) -> Exception:
        """Return the exception for an answer with an error status."""
        status = response.status or 0
        location = response.headers.get("Location")
        if 300 <= status < 400 and location:
            return MonitorError(f"{self.url}: redirects to {redact_url(location.partition('?')[0])}: use that URL")
        try:
            document = self._document(response, status, deadline)
        except (MonitorError, OSError, HTTPException):
            document = None
        return status_error(self.url, response, document, self._names)

    def _connection_error(self, error: OSError | HTTPException, timeout: float) -> Exception:
        """Return the exception for a request without a complete answer; a first failure to connect is final."""
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        text = shortened(str(getattr(cause, "strerror", None) or cause) or type(cause).__name__, MAX_PROBLEM_LENGTH)
        problem = MonitorError(f"{self.url}: no answer: {text}")
        if isinstance(cause, TimeoutError):
            problem = MonitorError(f"{self.url}: no answer within {timeout:.3g} s ({self._names.timeout})")
        is_unreachable = isinstance(cause, ConnectionRefusedError | socket.gaierror)
        is_final = isinstance(cause, ssl.SSLError | str) or (is_unreachable and not self._has_answered)
        return problem if is_final else TransientError(problem)

    def _note_clock(self, headers: Message[str, str]) -> None:
        try:
            self.clock_skew = parsedate_to_datetime(headers.get("Date", "")).timestamp() - time.time()
        except ValueError:
            # The header is optional.
            return

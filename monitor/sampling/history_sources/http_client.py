"""HTTP client for the Prometheus API: authentication, TLS, proxies, retries with backoff."""

from __future__ import annotations

import gzip
import io
import json
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Mapping
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any

from monitor.errors import MAX_PROBLEM_LENGTH, MonitorError, shortened
from monitor.sampling.history_sources.http_settings import HttpSettings, tls_context
from monitor.system.logging import get_logger
from monitor.system.outgoing_http import NoRedirects, parse_retry_after
from monitor.system.redaction import redact_url

log = get_logger(__name__)

MAX_ANSWER_BYTES = 2**26
"""Largest answer, decompressed: 11,000 points of a series have less than 1 MiB."""

ATTEMPTS = 6
"""Number of attempts of a request that fails for a reason that may pass."""

FIRST_DELAY = 1.0
"""Seconds before the second attempt; the delay doubles with each attempt."""

MAX_DELAY = 60.0
"""Longest delay in seconds that a server may ask for with `Retry-After`."""

TRANSIENT_STATUSES = frozenset({429, 500, 502, 503})

EXPENSIVE_STATUSES = frozenset({413, 422, 504})
"""Statuses of queries that load too many samples or take too long."""


class HttpStatusError(MonitorError):
    """Raised when a server answered with an error status.

    Attributes:
        status: HTTP status.
        document: JSON document of the answer; None if the answer is no JSON.
    """

    def __init__(self, message: str, status: int, document: Any) -> None:
        super().__init__(message)
        self.status = status
        self.document = document


class ExpensiveQueryError(HttpStatusError):
    """Raised when a query loads too many samples or takes too long: one of a shorter period may succeed."""


class HttpClient:
    """Client of one server with the Prometheus API.

    Attributes:
        url: base URL without credentials, for messages.
        clock_skew: seconds by which the clock of the server is ahead of this host; None before the first answer.
    """

    def __init__(self, url: str, settings: HttpSettings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Initialize a client; the first request opens the connection.

        Args:
            url: base URL with its path prefix.
            settings: settings of the connections.
            sleep: waits for a number of seconds.

        Raises:
            MonitorError: a certificate or a key cannot be loaded.
        """
        self.url = redact_url(url)
        self.clock_skew: float | None = None
        self._base = url.rstrip("/")
        self._settings = settings
        self._sleep = sleep
        self._has_answered = False
        proxies = {"http": settings.proxy_url, "https": settings.proxy_url} if settings.proxy_url else None
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler(proxies),
            urllib.request.HTTPSHandler(context=tls_context(settings)),
            NoRedirects(),
        )

    def get(self, path: str, parameters: Mapping[str, str]) -> Any:
        """Return the JSON document of an answer with status 200.

        A request that fails for a reason that may pass is repeated, with a delay that doubles.

        Args:
            path: path below the base URL.
            parameters: query parameters.

        Raises:
            ExpensiveQueryError: the query is too expensive.
            HttpStatusError: the last answer has another status.
            MonitorError: the server cannot be reached, or its answer is partial or no JSON.
        """
        url = f"{self._base}/{path}?{urllib.parse.urlencode(parameters)}"
        delay = FIRST_DELAY
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._attempt(url)
            except _TransientError as error:
                if attempt == ATTEMPTS:
                    raise error.problem from error
                seconds = error.retry_after or delay
                log.warning("request repeated", error=str(error), seconds=seconds)
                self._sleep(seconds)
                delay *= 2
        raise AssertionError("unreachable")

    def _attempt(self, url: str) -> Any:
        """Return the document of one request.

        Raises:
            _TransientError: another attempt may succeed.
            MonitorError: another attempt would fail as well.
        """
        request = urllib.request.Request(url, headers={"Accept": "application/json", "Accept-Encoding": "gzip"})  # noqa: S310
        for name, value in self._settings.headers.items():
            request.add_unredirected_header(name, value)
        try:
            with self._opener.open(request, timeout=self._settings.timeout) as response:
                document = self._document(response, response.status)
        except urllib.error.HTTPError as response:
            with response:
                raise self._status_error(response) from response
        except (OSError, HTTPException) as error:
            raise self._connection_error(error) from error
        if isinstance(document, dict) and document.get("isPartial"):
            raise _TransientError(MonitorError(f"{self.url}: the answer is partial: a storage node is not available"))
        return document

    def _document(self, response: HTTPResponse | urllib.error.HTTPError, status: int) -> Any:
        """Return the JSON document of an answer; raise MonitorError if it is too large or no JSON."""
        body = _body(response)
        if len(body) > MAX_ANSWER_BYTES:
            raise MonitorError(
                f"{self.url}: an answer exceeds {MAX_ANSWER_BYTES >> 20} MiB: use a narrower --selector"
            )
        self._has_answered = True
        self._note_clock(response.headers)
        try:
            return json.loads(body)
        except ValueError as error:
            kind = response.headers.get_content_type()
            raise MonitorError(
                f"{self.url}: answered with {kind} instead of JSON (status {status}): is this the URL of a "
                "Prometheus API, with its path prefix?"
            ) from error

    def _status_error(self, response: urllib.error.HTTPError) -> Exception:
        """Return the exception for an answer with an error status."""
        status = response.status or 0
        location = response.headers.get("Location")
        if 300 <= status < 400 and location:
            return MonitorError(f"{self.url}: redirects to {redact_url(location.partition('?')[0])}: use that URL")
        try:
            document = self._document(response, status)
        except (MonitorError, OSError, HTTPException):
            document = None
        message = f"{self.url}: {_status_message(status, response.reason, document)}"
        is_query_timeout = status == 503 and isinstance(document, dict) and document.get("errorType") == "timeout"
        if status in EXPENSIVE_STATUSES or is_query_timeout:
            return ExpensiveQueryError(message, status, document)
        problem = HttpStatusError(message, status, document)
        if status not in TRANSIENT_STATUSES:
            return problem
        retry_after = parse_retry_after(response.headers.get("Retry-After"), time.time()) or 0.0
        return _TransientError(problem, min(retry_after, MAX_DELAY))

    def _connection_error(self, error: OSError | HTTPException) -> Exception:
        """Return the exception for a request without a complete answer; a first failure to connect is final."""
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        text = shortened(str(getattr(cause, "strerror", None) or cause) or type(cause).__name__, MAX_PROBLEM_LENGTH)
        problem = MonitorError(f"{self.url}: no answer: {text}")
        if isinstance(cause, TimeoutError):
            problem = MonitorError(f"{self.url}: no answer within {self._settings.timeout:g} s (--timeout)")
        is_unreachable = isinstance(cause, ConnectionRefusedError | socket.gaierror)
        is_final = isinstance(cause, ssl.SSLError | str) or (is_unreachable and not self._has_answered)
        return problem if is_final else _TransientError(problem)

    def _note_clock(self, headers: Message[str, str]) -> None:
        try:
            self.clock_skew = parsedate_to_datetime(headers.get("Date", "")).timestamp() - time.time()
        except ValueError:
            # The header is optional.
            return


class _TransientError(Exception):
    """Raised when another attempt may succeed."""

    def __init__(self, problem: MonitorError, retry_after: float = 0.0) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.retry_after = retry_after


def _body(response: HTTPResponse | urllib.error.HTTPError) -> bytes:
    """Return the decompressed body, at most MAX_ANSWER_BYTES + 1; raise OSError or HTTPException if incomplete."""
    body = response.read(MAX_ANSWER_BYTES + 1)
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and len(body) < min(int(length), MAX_ANSWER_BYTES):
        raise IncompleteRead(body, int(length) - len(body))
    if response.headers.get("Content-Encoding") != "gzip":
        return body
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as content:
            return content.read(MAX_ANSWER_BYTES + 1)
    except (EOFError, zlib.error) as error:
        raise HTTPException("the compressed answer is damaged") from error


def _status_message(status: int, reason: str, document: Any) -> str:
    """Return the message for an error status: the error that the server states, or the standard reason."""
    error = document.get("error") if isinstance(document, dict) else None
    text = shortened(str(error or reason), MAX_PROBLEM_LENGTH)
    if status in (401, 403):
        return f"status {status}, {text}: set the credentials with --http-config or in the environment"
    if status == 404 and not error:
        return f"status {status}, {text}: is this the URL of a Prometheus API, with its path prefix?"
    return f"status {status}, {text}"

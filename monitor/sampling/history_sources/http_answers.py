"""HTTP answers of the Prometheus API: bounded bodies, error statuses and their messages."""

from __future__ import annotations

import gzip
import io
import time
import urllib.error
import zlib
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any

from monitor.errors import MAX_PROBLEM_LENGTH, MonitorError, shortened
from monitor.system.outgoing_http import parse_retry_after

MAX_ANSWER_BYTES = 2**26
"""Largest answer, decompressed: 11,000 points of a series have less than 1 MiB."""

READ_SIZE = 2**18
"""Number of bytes between two checks of the deadline."""

MAX_DELAY = 60.0
"""Longest delay in seconds that a server may ask for with `Retry-After`."""

TRANSIENT_STATUSES = frozenset({429, 500, 502, 503})

EXPENSIVE_STATUSES = frozenset({413, 422, 504})
"""Statuses of queries that load too many samples or take too long."""

Response = HTTPResponse | urllib.error.HTTPError


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


class TransientError(Exception):
    """Raised when another attempt may succeed.

    Attributes:
        problem: error to raise if no attempt is left.
        retry_after: seconds to wait that the server asks for; 0 if it asks for none.
    """

    def __init__(self, problem: MonitorError, retry_after: float = 0.0) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.retry_after = retry_after


@dataclass(frozen=True)
class OptionNames:
    """Names of the options that messages recommend.

    Attributes:
        selector: option that selects the series.
        timeout: option with the seconds to wait for an answer.
        http_config: option with the HTTP client configuration.
    """

    selector: str = "--selector"
    timeout: str = "--timeout"
    http_config: str = "--http-config"


def read_body(response: Response, deadline: float) -> bytes:
    """Return the decompressed body, at most MAX_ANSWER_BYTES + 1.

    Args:
        response: answer whose body is not read yet.
        deadline: time of the monotonic clock at which the reading ends.

    Raises:
        OSError: the deadline has passed, or the connection failed.
        HTTPException: the body is incomplete or damaged.
    """
    body = bytearray()
    while len(body) <= MAX_ANSWER_BYTES and (block := response.read1(READ_SIZE)):
        body += block
        if time.monotonic() > deadline:
            raise TimeoutError
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and len(body) < min(int(length), MAX_ANSWER_BYTES):
        raise IncompleteRead(bytes(body), int(length) - len(body))
    if response.headers.get("Content-Encoding") != "gzip":
        return bytes(body)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as content:
            return content.read(MAX_ANSWER_BYTES + 1)
    except (EOFError, zlib.error) as error:
        raise HTTPException("the compressed answer is damaged") from error


def status_error(url: str, response: urllib.error.HTTPError, document: Any, names: OptionNames) -> Exception:
    """Return the exception for an answer with an error status.

    Args:
        url: base URL for the message.
        response: answer.
        document: JSON document of the answer; None if it is no JSON.
        names: options for the message.
    """
    status = response.status or 0
    message = f"{url}: {_status_message(status, response.reason, document, names)}"
    is_query_timeout = status == 503 and isinstance(document, dict) and document.get("errorType") == "timeout"
    if status in EXPENSIVE_STATUSES or is_query_timeout:
        return ExpensiveQueryError(message, status, document)
    problem = HttpStatusError(message, status, document)
    if status not in TRANSIENT_STATUSES:
        return problem
    retry_after = parse_retry_after(response.headers.get("Retry-After"), time.time()) or 0.0
    return TransientError(problem, min(retry_after, MAX_DELAY))


def _status_message(status: int, reason: str, document: Any, names: OptionNames) -> str:
    """Return the message for an error status: the error that the server states, or the standard reason."""
    error = document.get("error") if isinstance(document, dict) else None
    text = shortened(str(error or reason), MAX_PROBLEM_LENGTH)
    if status in (401, 403):
        return f"status {status}, {text}: set the credentials with {names.http_config} or in the environment"
    if status == 404 and not error:
        return f"status {status}, {text}: is this the URL of a Prometheus API, with its path prefix?"
    return f"status {status}, {text}"

"""Request handler: adapter between a tornado connection and a WSGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from email.utils import formatdate
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import (
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import StreamClosedError
from tornado.wsgi import WSGIContainer

from monitor.web.responses import Headers, text_response, with_security_headers

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

KEPT_BODY_BYTES = 8192
"""Largest number of bytes of a request body that are kept for the application; an action is shorter."""

MAX_CONTENT_LENGTH_DIGITS = 20
"""Largest number of digits in a Content-Length header; parsing a longer number would be slow."""


def _do_nothing() -> None:
    """Do nothing: the callback of a response that needs none."""


@dataclass(frozen=True)
class Limits:
    """Resource limits of the server."""

    connections: int = 600
    """Largest number of open connections."""

    request_seconds: float = 10.0
    """Seconds to receive the headers, including idle time and TLS handshake; the same limit applies to the body."""

    response_seconds: float = 10.0
    """Seconds in which the client must receive the response."""

    header_bytes: int = 16_384
    """Largest size of the request line and the headers, in bytes."""

    body_bytes: int = 65_536
    """Largest size of a request body, in bytes."""

    @property
    def parameters(self) -> HTTP1ConnectionParameters:
        """Limits of tornado; headers beyond `header_bytes` get an error response before tornado closes."""
        return HTTP1ConnectionParameters(
            max_header_size=4 * self.header_bytes,
            header_timeout=self.request_seconds,
            max_body_size=self.body_bytes,
            body_timeout=self.request_seconds,
        )


@dataclass(frozen=True)
class WsgiResponse:
    """Complete response of a WSGI application.

    Attributes:
        status: status code and reason, such as "200 OK".
        headers: names and values.
        body: content.
        on_sent: called after the response was sent or sending has failed.
        error: exception that the application raised; None if it raised none.
    """

    status: str
    headers: Headers
    body: bytes
    on_sent: Callable[[], None] = _do_nothing
    error: Exception | None = None


class RequestHandler(HTTPMessageDelegate):
    """Handler of one HTTP request: receives the request and sends the response.

    tornado calls `headers_received` after the headers, `data_received` with parts of the body, and `finish` after it.
    The first KEPT_BODY_BYTES of a body are kept, and the rest is discarded.
    """

    def __init__(
        self,
        connection: HTTP1Connection,
        container: WSGIContainer,
        limits: Limits,
        on_request: Callable[[RequestHandler], None],
    ) -> None:
        """Initialize the handler of the next request on a connection.

        Args:
            connection: the connection that the request arrives on.
            container: tornado container of the WSGI application.
            limits: limits on size and duration.
            on_request: called when the request is complete.
        """
        self.stream = connection.stream
        self._connection = connection
        self._container = container
        self._limits = limits
        self._on_request = on_request
        self._request: HTTPServerRequest | None = None
        self._environ: dict[str, Any] = {}
        self._body = bytearray()

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        request_line = cast(RequestStartLine, start_line)
        if not request_line.path.startswith("/"):
            request_line = request_line._replace(path=_origin_form(request_line.path))
        if headers.get("Host", "").endswith(":"):
            # An empty port is valid (RFC 3986), but tornado rejects it.
            headers["Host"] = headers["Host"].rstrip(":")
        try:
            self._request = HTTPServerRequest(
                connection=self._connection, start_line=request_line, headers=headers.copy()
            )
            self._environ = self._container.environ(self._request)
        except ValueError as error:
            # For example a port of 5000 digits; tornado responds with 400.
            raise HTTPInputError(str(error)) from error
        return self._check_size(request_line, headers)

    def data_received(self, chunk: bytes) -> None:
        self._body += chunk[: KEPT_BODY_BYTES - len(self._body)]

    def finish(self) -> None:
        self._environ["wsgi.input"] = BytesIO(self._body)
        self._on_request(self)

    @property
    def path(self) -> str:
        """Return the path of the request, still percent-encoded; empty before the headers have arrived."""
        return self._request.path if self._request else ""

    def call_application(self) -> WsgiResponse:
        """Return the response of the application; status 503 without memory, 500 after any other exception."""
        try:
            return _call_wsgi(self._container.wsgi_application, self._environ)
        except MemoryError as error:
            return replace(_error_response(503, "out of memory; try again later"), error=error)
        except Exception as error:
            return replace(_error_response(500, "internal error"), error=error)

    async def reject(self, code: int, message: str) -> None:
        """Send an error response without calling the application."""
        await self.send(_error_response(code, message))

    async def send(self, response: WsgiResponse) -> None:
        """Send a response; close the connection if the client has not received it within `response_seconds`."""
        code, _, reason = response.status.partition(" ")
        line = ResponseStartLine("HTTP/1.1", int(code), reason)
        headers = HTTPHeaders({"Date": formatdate(usegmt=True)})
        for name, value in response.headers:
            headers.add(name, value)
        without_body = self._request is None or self._request.method == "HEAD"
        try:
            flushed = self._connection.write_headers(line, headers, b"" if without_body else response.body)
            self._connection.finish()
            # A small response is sent at once.
            await (flushed if flushed.done() else asyncio.wait_for(flushed, self._limits.response_seconds))
        except (StreamClosedError, TimeoutError):
            self.stream.close()

    def _check_size(self, request_line: RequestStartLine, headers: HTTPHeaders) -> Awaitable[None] | None:
        """Reject a request if its headers or its Content-Length exceed the limits.

        Returns:
            The awaitable that sends the error response; None if the request is within the limits.

        Raises:
            HTTPInputError: the Content-Length has more than MAX_CONTENT_LENGTH_DIGITS digits.
        """
        size = sum(map(len, request_line)) + sum(len(name) + len(value) for name, value in headers.get_all())
        if size > self._limits.header_bytes:
            return self.reject(431, f"headers exceed {self._limits.header_bytes} bytes")
        length = headers.get("Content-Length", "")
        if len(length) > MAX_CONTENT_LENGTH_DIGITS:
            raise HTTPInputError("Content-Length has too many digits")
        if length.isdecimal() and int(length) > self._limits.body_bytes:
            return self.reject(413, f"body exceeds {self._limits.body_bytes} bytes")
        return None


def _origin_form(target: str) -> str:
    """Return path and query of an absolute http(s) URL, and any other request target unchanged (RFC 9112, 3.2.2)."""
    url = urlsplit(target)
    if url.scheme not in ("http", "https"):
        return target
    return f"{url.path or '/'}{'?' if url.query else ''}{url.query}"


def _error_response(code: int, message: str) -> WsgiResponse:
    response = text_response(code, message)
    return WsgiResponse(response.status, with_security_headers(response.headers), response.body)


def _call_wsgi(application: WSGIApplication, environ: dict[str, Any]) -> WsgiResponse:
    """Call a WSGI application and collect its whole response."""
    started: list[tuple[str, Headers]] = []
    written: list[bytes] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], Any]:  # noqa: ARG001
        started.append((status, headers))
        return written.append

    chunks = application(environ, start_response)
    written += chunks
    status, headers = started[-1]
    return WsgiResponse(status, headers, b"".join(written), getattr(chunks, "close", _do_nothing))

"""One request and its answer, between tornado and a WSGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from tornado.http1connection import HTTP1Connection
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

from monitor.system.logging import get_logger
from monitor.web.responses import Headers, plain, secured, status_line

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

log = get_logger(__name__)


def _nothing() -> None:
    """What is done after an answer unless it says otherwise."""


@dataclass(frozen=True)
class Limits:
    """What one client, and all together, may take."""

    connections: int = 600
    wait_seconds: float = 10.0
    """For a whole request, the pause and the handshake of TLS before it included; and again for its body."""

    answer_seconds: float = 10.0
    """For an answer to be taken."""

    header_bytes: int = 16_384
    body_bytes: int = 65_536


@dataclass(frozen=True)
class Answer:
    """A whole answer; `sent` is called once it is out, or cannot get out."""

    status: str
    headers: Headers
    body: bytes
    sent: Callable[[], None] = _nothing


class Exchange(HTTPMessageDelegate):
    """Gathers a request and says so to `whole`. No route reads a body: one that comes is read and dropped."""

    def __init__(
        self,
        connection: HTTP1Connection,
        container: WSGIContainer,
        limits: Limits,
        whole: Callable[[Exchange], None],
    ) -> None:
        self._connection, self.stream, self._container = connection, connection.stream, container
        self._limits, self._whole = limits, whole
        self._request: HTTPServerRequest | None = None
        self._environ: dict[str, Any] = {}

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        request = cast(RequestStartLine, start_line)
        if not request.path.startswith("/"):
            request = request._replace(path=_own_path(request.path))
        if headers.get("Host", "").endswith(":"):
            # a port may be left empty
            headers["Host"] = headers["Host"].rstrip(":")
        try:
            self._request = HTTPServerRequest(connection=self._connection, start_line=request, headers=headers.copy())
            self._environ = self._container.environ(self._request)
        except ValueError as error:
            # as a port of 5000 digits; tornado answers 400
            raise HTTPInputError(str(error)) from error
        size = sum(map(len, request)) + sum(len(name) + len(value) for name, value in headers.get_all())
        length = headers.get("Content-Length", "")
        if size > self._limits.header_bytes:
            return self.refuse(431, f"headers of more than {self._limits.header_bytes} bytes")
        if len(length) > 20:
            raise HTTPInputError("Content-Length of more digits than bytes there are")
        if length.isdecimal() and int(length) > self._limits.body_bytes:
            return self.refuse(413, f"a body of more than {self._limits.body_bytes} bytes")
        return None

    def finish(self) -> None:
        self._whole(self)

    @property
    def path(self) -> str:
        """What is asked for, as it was sent."""
        return self._request.path if self._request else ""

    def ask(self) -> Answer:
        """The application's answer; an error of it is logged and makes a 500."""
        try:
            return _asked(self._container.wsgi_application, self._environ)
        except Exception as error:
            log.critical("request failed", exc_info=error)
            return _plain(500, "internal error")

    async def refuse(self, code: int, text: str) -> None:
        """Answers without asking the application."""
        await self.send(_plain(code, text))

    async def send(self, answer: Answer) -> None:
        """Writes the answer; a client that does not take it is cut off."""
        code, _, reason = answer.status.partition(" ")
        line = ResponseStartLine("HTTP/1.1", int(code), reason)
        headers = HTTPHeaders({"Date": formatdate(usegmt=True)})
        for name, value in answer.headers:
            headers.add(name, value)
        silent = self._request is None or self._request.method == "HEAD"
        try:
            flushed = self._connection.write_headers(line, headers, b"" if silent else answer.body)
            self._connection.finish()
            await asyncio.wait_for(flushed, self._limits.answer_seconds)
        except (StreamClosedError, TimeoutError):
            self.stream.close()


def _own_path(target: str) -> str:
    """Path and query of a target with scheme and host, which any server has to take (RFC 9112, 3.2.2)."""
    found = urlsplit(target)
    if found.scheme not in ("http", "https"):
        return target
    return f"{found.path or '/'}{'?' if found.query else ''}{found.query}"


def _plain(code: int, text: str) -> Answer:
    headers, body = plain(text)
    return Answer(status_line(code), secured(headers), body)


def _asked(application: WSGIApplication, environ: dict[str, Any]) -> Answer:
    started: list[tuple[str, Headers]] = []
    written: list[bytes] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], Any]:  # noqa: ARG001
        started.append((status, headers))
        return written.append

    chunks = application(environ, start_response)
    written += chunks
    return Answer(*started[-1], b"".join(written), getattr(chunks, "close", _nothing))

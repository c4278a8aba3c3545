"""Configuration reload over HTTP: `POST /-/reload`, the equivalent of SIGHUP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.errors import MonitorError
from monitor.web.responses import status_line, text_response

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/-/reload"


@dataclass(frozen=True)
class ReloadResult:
    """Outcome of one request: status code, message and additional headers."""

    code: int
    message: str
    headers: tuple[tuple[str, str], ...] = ()


class ReloadMiddleware:
    """WSGI middleware that serves the reload path and passes all other requests on.

    The configuration is validated before the response is sent and applied afterwards. Status 200 therefore means
    that the configuration is valid, not that every resource it names could be opened; such errors are logged, as
    they are for SIGHUP.
    """

    def __init__(
        self,
        application: WSGIApplication,
        check: Callable[[], object],
        reload: Callable[[], None],
        *,
        enabled: bool,
    ) -> None:
        """Wrap an application.

        Args:
            application: receives all other requests.
            check: validates the configuration; raises MonitorError if it is invalid.
            reload: triggers the reload; called once the response has been sent.
            enabled: the value of web.lifecycle.
        """
        self._application = application
        self._check = check
        self._reload = reload
        self._enabled = enabled

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            return self._application(environ, start_response)
        result = self._handle(environ)
        headers, body = text_response(result.message)
        start_response(status_line(result.code), [*headers, *result.headers])
        return _BodyWithCallback(body, self._reload) if result.code == 200 else [body]

    def _handle(self, environ: WSGIEnvironment) -> ReloadResult:
        if environ["REQUEST_METHOD"] != "POST":
            return ReloadResult(405, "method not allowed: use POST", (("Allow", "POST"),))
        if not self._enabled:
            return ReloadResult(403, "Lifecycle API is not enabled: set web.lifecycle = true to enable it")
        if not is_same_origin(environ):
            return ReloadResult(403, "cross-origin request rejected")
        try:
            self._check()
        except MonitorError as error:
            return ReloadResult(500, f"failed to reload the configuration: {error}")
        return ReloadResult(200, "configuration is valid, reloading")


def is_same_origin(environ: WSGIEnvironment) -> bool:
    """Return True for a request of a page of this endpoint, or of a client that is not a browser."""
    if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
        return False
    origin = environ.get("HTTP_ORIGIN")
    own_origin = f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', '')}"
    return origin is None or origin.lower() == own_origin.lower()


class _BodyWithCallback:
    """Response body whose `close`, which WSGI calls after sending, runs a callback."""

    def __init__(self, body: bytes, callback: Callable[[], None]) -> None:
        self._body = body
        self.close = callback

    def __iter__(self) -> Iterator[bytes]:
        yield self._body

"""Configuration reload over HTTP: `POST /-/reload`, the equivalent of SIGHUP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from monitor.errors import MonitorError
from monitor.web.responses import Response, text_response

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/-/reload"


class ReloadMiddleware:
    """WSGI middleware that serves the reload path and passes all other requests on.

    The configuration is validated before the response is sent, and applied afterwards. Status 200 therefore means
    that the configuration is valid. An address or database that cannot be opened afterwards is logged, as on SIGHUP.
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
            reload: triggers the reload; called after the response was sent or sending has failed.
            enabled: the value of web.lifecycle.
        """
        self._application = application
        self._check = check
        self._reload = reload
        self._enabled = enabled

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            return self._application(environ, start_response)
        response = self._handle(environ)
        start_response(response.status, response.headers)
        return _BodyWithCallback(response.body, self._reload) if response.code == 200 else [response.body]

    def _handle(self, environ: WSGIEnvironment) -> Response:
        """Return the response to a request for the reload path."""
        if environ["REQUEST_METHOD"] != "POST":
            return text_response(405, "method not allowed: use POST", ("Allow", "POST"))
        if not self._enabled:
            return text_response(403, "Lifecycle API is not enabled: set web.lifecycle = true to enable it")
        if not is_same_origin(environ):
            return text_response(403, "cross-origin request rejected")
        try:
            self._check()
        except MonitorError as error:
            return text_response(500, f"failed to reload the configuration: {error}")
        return text_response(200, "configuration is valid, reloading")


def is_same_origin(environ: WSGIEnvironment) -> bool:
    """Return True if a request comes from a page of this server or from a client other than a browser."""
    if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
        return False
    origin = environ.get("HTTP_ORIGIN")
    own_origin = f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', '')}"
    return origin is None or origin.lower() == own_origin.lower()


class _BodyWithCallback:
    """Response body that runs a callback in `close`, which the server calls after sending (PEP 3333)."""

    def __init__(self, body: bytes, callback: Callable[[], None]) -> None:
        self._body = body
        self.close = callback

    def __iter__(self) -> Iterator[bytes]:
        yield self._body

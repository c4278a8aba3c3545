"""`POST /-/reload`: what SIGHUP does, for those who may not send signals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from monitor.errors import MonitorError
from monitor.web.responses import plain, status_line

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/-/reload"


class ReloadMiddleware:
    """An application with that path beside its own.

    The configuration is checked before the answer and taken into use after it, when the answer is on its way: 200
    means that it was valid, not that everything it names could be opened. That is logged, as it is for SIGHUP.
    """

    def __init__(
        self,
        application: WSGIApplication,
        check: Callable[[], object],
        reload: Callable[[], None],
        *,
        enabled: bool,
    ) -> None:
        """`check` raises MonitorError where the new configuration cannot be used; `reload` has it taken into use."""
        self._application, self._check, self._reload, self._enabled = application, check, reload, enabled

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            return self._application(environ, start_response)
        code, text, more = self._answer(environ)
        headers, body = plain(text)
        start_response(status_line(code), [*headers, *more])
        return _Sent(body, self._reload) if code == 200 else [body]

    def _answer(self, environ: WSGIEnvironment) -> tuple[int, str, list[tuple[str, str]]]:
        if environ["REQUEST_METHOD"] != "POST":
            return 405, "only POST reloads", [("Allow", "POST")]
        if not self._enabled:
            return 403, "Lifecycle API is not enabled: web.lifecycle = true enables it", []
        if not same_site(environ):
            return 403, "asked for by another site", []
        try:
            self._check()
        except MonitorError as error:
            return 500, f"failed to reload the configuration: {error}", []
        return 200, "the configuration is valid and is being reloaded", []


def same_site(environ: WSGIEnvironment) -> bool:
    """Whether it was no browser that asked, or one on a page of this endpoint."""
    origin, fetched = environ.get("HTTP_ORIGIN"), environ.get("HTTP_SEC_FETCH_SITE", "none")
    if fetched not in ("none", "same-origin"):
        return False
    here = f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', '')}"
    return origin is None or origin.lower() == here.lower()


class _Sent:
    """A body, with something to do once it is sent."""

    def __init__(self, body: bytes, then: Callable[[], None]) -> None:
        self._body, self.close = body, then

    def __iter__(self) -> Iterator[bytes]:
        yield self._body

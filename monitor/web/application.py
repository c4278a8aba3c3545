"""WSGI application: metrics, probes, HTML page and JSON API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from monitor.exporter.collector import StateCollector
from monitor.exporter.exposition import Exposition
from monitor.reports.status import model_line
from monitor.state import DaemonState
from monitor.system.json_codec import to_json
from monitor.web.accept import OPENMETRICS_FORMAT, TEXT_FORMAT, choose_format
from monitor.web.actions.access import ActionAccess
from monitor.web.api import ANOMALIES_PATH, MAINTENANCE_PATH, Api, ApiError, StoredDocuments
from monitor.web.responses import HTML, JSON, Headers, Response, accepts_gzip, compressed, text_response

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

STATIC_PREFIX = "/static/"

PAGE_PATHS = ("/", "/model", "/config", "/maintenance")

EVENT_PREFIX = "/anomalies/"
"""Path of the page of an anomaly event, followed by its ID."""

CACHE_FOR_A_DAY = "private, max-age=86400"

MIN_GZIP_BYTES = 1000
"""Size in bytes above which a body is compressed; a smaller body fits into one packet."""


UNKNOWN_PATH = text_response(404, "not found")
METHOD_NOT_ALLOWED = text_response(405, "method not allowed", ("Allow", "GET, HEAD"))


def send(response: Response, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Start a WSGI response, compressed if the client accepts it, and return its body."""
    encoding: Headers = []
    if len(response.body) > MIN_GZIP_BYTES and accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
        response = replace(response, body=compressed(response.body))
        encoding.append(("Content-Encoding", "gzip"))
    start_response(response.status, [*response.headers, ("Vary", "Accept, Accept-Encoding"), *encoding])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.body]


def read_static(environ: WSGIEnvironment) -> Response:
    """Return the response to a request for a static file of the page."""
    from monitor.web.ui.static_files import read_static_file  # noqa: PLC0415

    file = read_static_file(environ["PATH_INFO"].removeprefix(STATIC_PREFIX))
    if file is None:
        return UNKNOWN_PATH
    return Response(200, file.content_type, file.content, CACHE_FOR_A_DAY)


class Application:
    """WSGI application with the routes of the HTTP server, which expose the state of the daemon."""

    def __init__(
        self,
        state: Callable[[], DaemonState],
        stored: Callable[[], StoredDocuments | None] = lambda: None,
        host: str = "",
        clock: Callable[[], float] = time.time,
        speed: float = 1.0,
    ) -> None:
        """Initialize the routes.

        Args:
            state: returns the current state.
            stored: returns the reader of the database; None while the database is not open.
            host: name of this machine, for the page.
            clock: returns the current time in seconds since the epoch.
            speed: seconds of the clock per second, for the refresh of the page.
        """
        self._state = state
        self._host = host
        self._speed = speed
        self._api = Api(state, stored, clock)
        self._clock = clock
        self._access = ActionAccess(lambda: state().config)
        groups = StateCollector(state).groups
        self._expositions = {
            TEXT_FORMAT: Exposition(groups, openmetrics=False),
            OPENMETRICS_FORMAT: Exposition(groups, openmetrics=True),
        }
        self._routes: dict[str, Callable[[WSGIEnvironment], Response]] = {
            "/metrics": self._metrics,
            "/-/healthy": self._healthy,
            "/-/ready": self._ready,
            **dict.fromkeys(PAGE_PATHS, self._page),
            "/api/v1/actions": self._actions,
            **dict.fromkeys(self._api.documents, self._document),
        }
        self._prefixes: dict[str, Callable[[WSGIEnvironment], Response]] = {
            STATIC_PREFIX: read_static,
            EVENT_PREFIX: self._event_page,
            f"{ANOMALIES_PATH}/": self._document,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return send(self._route(environ), environ, start_response)

    def _route(self, environ: WSGIEnvironment) -> Response:
        path = environ.get("PATH_INFO", "")
        if environ["REQUEST_METHOD"] == "POST" and path.startswith((ANOMALIES_PATH, MAINTENANCE_PATH)):
            return self._record(environ)
        by_prefix = (handler for prefix, handler in self._prefixes.items() if path.startswith(prefix))
        handler = self._routes.get(path) or next(by_prefix, None)
        if handler is None:
            return UNKNOWN_PATH
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return METHOD_NOT_ALLOWED
        return handler(environ)

    def _metrics(self, environ: WSGIEnvironment) -> Response:
        chosen = choose_format(environ.get("HTTP_ACCEPT", ""))
        return Response(200, chosen.content_type, self._expositions[chosen].page())

    def _healthy(self, _: WSGIEnvironment) -> Response:
        state = self._state()
        if not state.sampling:
            return text_response(503, "no recent sample")
        hung = [name for name, job in state.jobs.items() if job.hung]
        if hung:
            return text_response(503, f"job hung: {', '.join(hung)}")
        return text_response(200, "healthy")

    def _ready(self, _: WSGIEnvironment) -> Response:
        state = self._state()
        if state.live is None:
            return text_response(503, "not sampling yet")
        return text_response(200, f"sampling; {model_line(state.live, state.overview)}")

    def _document(self, environ: WSGIEnvironment) -> Response:
        parameters = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        query = dict(parameters)
        try:
            if len(query) < len(parameters):
                raise ApiError(400, "duplicate query parameter")
            document = self._api.answer(environ["PATH_INFO"], query)
            return Response(200, JSON, to_json(document).encode())
        except ApiError as error:
            return Response(error.code, JSON, to_json({"error": str(error)}).encode())

    def _actions(self, environ: WSGIEnvironment) -> Response:
        return Response(200, JSON, to_json(self._access.state(environ)).encode())

    def _record(self, environ: WSGIEnvironment) -> Response:
        # Imported on the first action, as few daemons permit any.
        from monitor.web.actions.handler import ActionHandler, find_action  # noqa: PLC0415
        from monitor.web.actions.operations import Operations  # noqa: PLC0415
        from monitor.web.ui.event_page import render_error_page  # noqa: PLC0415

        action = find_action(environ["PATH_INFO"])
        if action is None:
            return METHOD_NOT_ALLOWED
        stores = self._api.stores
        handler = ActionHandler(
            self._access,
            lambda: Operations(stores(), self._clock),
            lambda message: render_error_page(self._host, message),
        )
        return handler.handle(action, environ)

    def _page(self, environ: WSGIEnvironment) -> Response:
        # Imported on the first page view: a daemon that is only scraped needs less memory without Jinja2.
        from monitor.web.ui.page import render_page  # noqa: PLC0415

        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        actions = self._access.state(environ)
        page = render_page(self._api, self._host, environ["PATH_INFO"], self._speed, actions, query)
        return Response(200, HTML, page.encode())

    def _event_page(self, environ: WSGIEnvironment) -> Response:
        from monitor.web.ui.event_page import render_event_page  # noqa: PLC0415

        event_id = environ["PATH_INFO"].removeprefix(EVENT_PREFIX)
        page = render_event_page(self._api, self._host, event_id, self._access.state(environ))
        return Response(page.code, HTML, page.html.encode())

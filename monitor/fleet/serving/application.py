"""WSGI application of the fleet process: metrics, probes, JSON API and page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from monitor.exporter.exposition import Exposition, MetricGroup
from monitor.fleet.process.state import FleetState
from monitor.fleet.serving.api import HOST_PREFIX, FleetApi
from monitor.fleet.serving.fleet_metrics import fleet_metrics
from monitor.fleet.serving.host_series import HostSeriesText
from monitor.queries.channels import ChannelOverview
from monitor.system.formatting import format_time
from monitor.system.json_codec import to_json
from monitor.web.accept import OPENMETRICS_FORMAT, TEXT_FORMAT, choose_format
from monitor.web.api import ApiError
from monitor.web.application import METHOD_NOT_ALLOWED, STATIC_PREFIX, UNKNOWN_PATH, read_static, send
from monitor.web.responses import HTML, JSON, Response, text_response
from storage.fleet.repository import FleetRepository

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

PAGE_PATH = "/fleet"
HOST_PAGE_PREFIX = f"{PAGE_PATH}/hosts/"
"""Path of the page of a host, followed by its name."""

END_OF_METRICS = b"# EOF\n"
"""Last line of OpenMetrics."""


class FleetApplication:
    """WSGI application with the routes of the fleet process."""

    def __init__(
        self,
        state: Callable[[], FleetState],
        repository: Callable[[], FleetRepository | None] = lambda: None,
        name: str = "",
        clock: Callable[[], float] = time.time,
        channels: Callable[[], Sequence[ChannelOverview]] = tuple,
    ) -> None:
        """Initialize the routes.

        Args:
            state: returns the current state.
            repository: returns the stored fleet; None while the database is not open.
            name: name of this machine, for the page.
            clock: returns the current time in seconds since the epoch.
            channels: returns the stored state of each notification channel; may raise StorageError.
        """
        self._state = state
        self._name = name
        self._api = FleetApi(state, repository, clock, channels)
        self._expositions = {
            TEXT_FORMAT: Exposition(self._groups, openmetrics=False),
            OPENMETRICS_FORMAT: Exposition(self._groups, openmetrics=True),
        }
        self._series = HostSeriesText()
        self._routes: dict[str, Callable[[WSGIEnvironment], Response]] = {
            "/metrics": self._metrics,
            "/-/healthy": self._healthy,
            "/-/ready": self._ready,
            **dict.fromkeys(("/", PAGE_PATH), self._page),
            **dict.fromkeys(self._api.documents, self._document),
        }
        self._prefixes: dict[str, Callable[[WSGIEnvironment], Response]] = {
            HOST_PREFIX: self._document,
            HOST_PAGE_PREFIX: self._host_page,
            STATIC_PREFIX: read_static,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return send(self._route(environ), environ, start_response)

    def _route(self, environ: WSGIEnvironment) -> Response:
        path = environ.get("PATH_INFO", "")
        by_prefix = (handler for prefix, handler in self._prefixes.items() if path.startswith(prefix))
        handler = self._routes.get(path) or next(by_prefix, None)
        if handler is None:
            return UNKNOWN_PATH
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return METHOD_NOT_ALLOWED
        return handler(environ)

    def _groups(self) -> tuple[MetricGroup, ...]:
        return (MetricGroup("fleet", (self._state(),), fleet_metrics),)

    def _metrics(self, environ: WSGIEnvironment) -> Response:
        chosen = choose_format(environ.get("HTTP_ACCEPT", ""))
        body = self._expositions[chosen].page()
        series = self._series.render(self._state()).encode()
        if chosen is OPENMETRICS_FORMAT:
            body = body.removesuffix(END_OF_METRICS) + series + END_OF_METRICS
        else:
            body += series
        return Response(200, chosen.content_type, body)

    def _healthy(self, _: WSGIEnvironment) -> Response:
        state = self._state()
        if not state.working:
            return text_response(503, "no cycle for several steps")
        hung = [name for name, job in state.jobs.items() if job.hung]
        if hung:
            return text_response(503, f"job hung: {', '.join(hung)}")
        if state.cycle.source_error is not None:
            return text_response(200, f"healthy; source unavailable: {state.cycle.source_error}")
        return text_response(200, "healthy")

    def _ready(self, _: WSGIEnvironment) -> Response:
        status = self._api.status()
        if status.predicted:
            reading = f", {status.pending} waiting for their histories" if status.pending else ""
            return text_response(200, f"predicting for {status.predicted} of {status.hosts} hosts{reading}")
        if status.source is not None and status.source.error is not None:
            return text_response(503, f"no prediction: source unavailable: {status.source.error}")
        if status.pending:
            return text_response(503, f"no prediction yet: reading the histories of {status.pending} hosts")
        if status.hosts:
            return text_response(503, f"no current prediction: the newest step is of {format_time(status.at)}")
        return text_response(503, "no prediction yet: the source has no host")

    def _document(self, environ: WSGIEnvironment) -> Response:
        parameters = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        query = dict(parameters)
        try:
            if len(query) < len(parameters):
                raise ApiError(400, "duplicate query parameter")
            return Response(200, JSON, to_json(self._api.answer(_path(environ), query)).encode())
        except ApiError as error:
            return Response(error.code, JSON, to_json({"error": str(error)}).encode())

    def _page(self, environ: WSGIEnvironment) -> Response:
        # Imported on the first page view: a process that is only scraped needs less memory without Jinja2.
        from monitor.fleet.serving.page import render_fleet_page  # noqa: PLC0415

        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        page = render_fleet_page(self._state(), query, self._name)
        return Response(page.code, HTML, page.html.encode())

    def _host_page(self, environ: WSGIEnvironment) -> Response:
        from monitor.fleet.serving.page import render_host_page  # noqa: PLC0415

        host = _path(environ).removeprefix(HOST_PAGE_PREFIX)
        page = render_host_page(self._api, self._state(), host, self._name)
        return Response(page.code, HTML, page.html.encode())


def _path(environ: WSGIEnvironment) -> str:
    """Return the path of a request as text; WSGI has its bytes as Latin-1."""
    path: str = environ["PATH_INFO"]
    return path.encode("latin-1").decode("utf-8", errors="replace")

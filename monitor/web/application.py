"""WSGI application: metrics, probes, HTML page and JSON API."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from prometheus_client import CollectorRegistry

from monitor.exporter.collector import StateCollector
from monitor.reports.status import model_line
from monitor.state import DaemonState
from monitor.system.json_codec import to_json
from monitor.web.accept import choose_format
from monitor.web.api import Api, ApiError, StoredDocuments
from monitor.web.responses import HTML, JSON, TEXT, accepts_gzip, status_line

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

STATIC_PREFIX = "/static/"

CACHE_FOR_A_DAY = "private, max-age=86400"

MIN_GZIP_BYTES = 1000
"""Smallest body, in bytes, that is compressed; smaller ones fit into one packet."""


@dataclass(frozen=True)
class RouteResponse:
    """Response of a route: status code, media type and body."""

    code: int
    content_type: str
    body: bytes


UNKNOWN_PATH = RouteResponse(404, TEXT, b"not found\n")
METHOD_NOT_ALLOWED = RouteResponse(405, TEXT, b"method not allowed\n")


class Application:
    """Routes of the endpoint, over the current status of the daemon."""

    def __init__(
        self,
        status: Callable[[], DaemonState],
        stored: Callable[[], StoredDocuments | None] = lambda: None,
        host: str = "",
    ) -> None:
        """Create the routes.

        Args:
            status: returns the current status.
            stored: returns the reader of the database; None while it is not open.
            host: name of this machine, for the page.
        """
        self._status = status
        self._host = host
        self._api = Api(status, stored)
        self._registry = CollectorRegistry()
        self._registry.register(StateCollector(status))
        self._routes: dict[str, Callable[[WSGIEnvironment], RouteResponse]] = {
            "/metrics": self._metrics,
            "/-/healthy": self._healthy,
            "/-/ready": self._ready,
            "/": self._page,
            **dict.fromkeys(self._api.documents, self._document),
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        response = self._route(environ)
        cacheable = response.code == 200 and environ.get("PATH_INFO", "").startswith(STATIC_PREFIX)
        headers = [
            ("Content-Type", response.content_type),
            ("Cache-Control", CACHE_FOR_A_DAY if cacheable else "no-store"),
            ("Vary", "Accept, Accept-Encoding"),
        ]
        if response.code == 405:
            headers.append(("Allow", "GET, HEAD"))
        body = response.body
        if len(body) > MIN_GZIP_BYTES and accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
            body = gzip.compress(body, compresslevel=1)
            headers.append(("Content-Encoding", "gzip"))
        headers.append(("Content-Length", str(len(body))))
        start_response(status_line(response.code), headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _route(self, environ: WSGIEnvironment) -> RouteResponse:
        path = environ.get("PATH_INFO", "")
        handler = self._static if path.startswith(STATIC_PREFIX) else self._routes.get(path)
        if handler is None:
            return UNKNOWN_PATH
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return METHOD_NOT_ALLOWED
        return handler(environ)

    def _metrics(self, environ: WSGIEnvironment) -> RouteResponse:
        chosen = choose_format(environ.get("HTTP_ACCEPT", ""))
        return RouteResponse(200, chosen.content_type, chosen.encode(self._registry))

    def _healthy(self, _: WSGIEnvironment) -> RouteResponse:
        if self._status().sampling:
            return RouteResponse(200, TEXT, b"healthy\n")
        return RouteResponse(503, TEXT, b"no recent sample\n")

    def _ready(self, _: WSGIEnvironment) -> RouteResponse:
        status = self._status()
        if status.live is None:
            return RouteResponse(503, TEXT, b"not sampling yet\n")
        line = model_line(status.live, status.overview)
        return RouteResponse(200, TEXT, f"sampling; {line}\n".encode())

    def _document(self, environ: WSGIEnvironment) -> RouteResponse:
        parameters = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        query = dict(parameters)
        try:
            if len(query) < len(parameters):
                raise ApiError(400, "duplicate query parameter")
            document = self._api.answer(environ["PATH_INFO"], query)
            return RouteResponse(200, JSON, to_json(document).encode())
        except ApiError as error:
            return RouteResponse(error.code, JSON, to_json({"error": str(error)}).encode())

    def _page(self, _: WSGIEnvironment) -> RouteResponse:
        # Imported on the first page view, to keep the memory of daemons low that are only scraped.
        from monitor.web.ui.page import render_page  # noqa: PLC0415

        return RouteResponse(200, HTML, render_page(self._api, self._host).encode())

    def _static(self, environ: WSGIEnvironment) -> RouteResponse:
        from monitor.web.ui.static_files import read_static_file  # noqa: PLC0415

        file = read_static_file(environ["PATH_INFO"].removeprefix(STATIC_PREFIX))
        return UNKNOWN_PATH if file is None else RouteResponse(200, file.content_type, file.content)

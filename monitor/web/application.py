"""What is answered: the metrics page, the probes, the page for people, the documents. Plain WSGI."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from monitor.exporter.collector import StateCollector
from monitor.reports.status_line import model_line
from monitor.state import DaemonState
from monitor.web.api import Api, ApiError, Records, encoded
from monitor.web.responses import status_line, takes_gzip

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
Response = tuple[int, str, bytes]
A_DAY = "private, max-age=86400"


class Application:
    """The routes, over the status of the moment."""

    def __init__(
        self, status: Callable[[], DaemonState], records: Callable[[], Records | None] = lambda: None, host: str = ""
    ) -> None:
        """Nothing is asked yet.

        Args:
            status: the status of the moment.
            records: what reads the database; None while it is not open.
            host: the name of this machine.
        """
        self._status, self._host = status, host
        self._api = Api(status, records)
        self._registry = CollectorRegistry()
        self._registry.register(StateCollector(status))
        self._routes: dict[str, Callable[[WSGIEnvironment], Response]] = {
            "/metrics": self._metrics,
            "/-/healthy": self._healthy,
            "/-/ready": self._ready,
            "/": self._page,
            **dict.fromkeys(self._api.documents, self._document),
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        code, kind, body = self._answer(environ)
        fixed = code == 200 and environ.get("PATH_INFO", "").startswith("/static/")
        headers = [("Content-Type", kind), ("Cache-Control", A_DAY if fixed else "no-store")]
        if code == 405:
            headers.append(("Allow", "GET, HEAD"))
        if len(body) > 1000 and takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
            body = gzip.compress(body, compresslevel=1)
            headers.append(("Content-Encoding", "gzip"))
        headers += [("Vary", "Accept, Accept-Encoding"), ("Content-Length", str(len(body)))]
        start_response(status_line(code), headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, environ: WSGIEnvironment) -> Response:
        path = environ.get("PATH_INFO", "")
        route = self._static if path.startswith("/static/") else self._routes.get(path)
        if route is None:
            return 404, TEXT, b"not found\n"
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return 405, TEXT, b"method not allowed\n"
        return route(environ)

    def _metrics(self, environ: WSGIEnvironment) -> Response:
        try:
            encode, kind = choose_encoder(environ.get("HTTP_ACCEPT", ""))
        except (TypeError, ValueError):
            # it compares versions that are none
            encode, kind = choose_encoder("")
        return 200, kind, encode(self._registry)

    def _healthy(self, _: WSGIEnvironment) -> Response:
        if self._status().sampling:
            return 200, TEXT, b"healthy\n"
        return 503, TEXT, b"no sample for too long\n"

    def _ready(self, _: WSGIEnvironment) -> Response:
        status = self._status()
        if status.live is None:
            return 503, TEXT, b"not sampling yet\n"
        return 200, TEXT, f"sampling; {model_line(status.live, status.overview)}\n".encode()

    def _document(self, environ: WSGIEnvironment) -> Response:
        given = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        try:
            query = dict(given)
            if len(query) < len(given):
                raise ApiError(400, "a parameter stands twice")
            return 200, JSON, encoded(self._api.answer(environ["PATH_INFO"], query))
        except ApiError as error:
            return error.code, JSON, encoded({"error": str(error)})

    def _page(self, _: WSGIEnvironment) -> Response:
        # only people ask for it: who is only scraped need not have it in memory
        from monitor.web.ui.page import page  # noqa: PLC0415

        return 200, "text/html; charset=utf-8", page(self._api, self._host).encode()

    def _static(self, environ: WSGIEnvironment) -> Response:
        from monitor.web.ui.page import static_file  # noqa: PLC0415

        found = static_file(environ["PATH_INFO"].removeprefix("/static/"))
        return (404, TEXT, b"not found\n") if found is None else (200, *found)

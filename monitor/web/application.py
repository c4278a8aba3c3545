"""What is answered: the metrics page, the probes, the status. Plain WSGI, over the status of the moment."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from html import escape
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from monitor.exporter import StatusCollector
from monitor.overview import status_document
from monitor.status import Status, model_line

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

TEXT = "text/plain; charset=utf-8"
Response = tuple[int, str, bytes]
REASONS = {
    200: "OK",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class Application:
    """The routes, over the status of the moment."""

    def __init__(self, status: Callable[[], Status]) -> None:
        self._status = status
        self._registry = CollectorRegistry()
        self._registry.register(StatusCollector(status))
        self._routes: dict[str, Callable[[WSGIEnvironment], Response]] = {
            "/metrics": self._metrics,
            "/-/healthy": self._healthy,
            "/-/ready": self._ready,
            "/api/v1/status": self._json,
            "/": self._page,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        code, kind, body = self._answer(environ)
        headers = [("Content-Type", kind), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
        if code == 405:
            headers.append(("Allow", "GET, HEAD"))
        if len(body) > 1000 and "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
            body = gzip.compress(body, compresslevel=1)
            headers.append(("Content-Encoding", "gzip"))
        headers.append(("Content-Length", str(len(body))))
        start_response(f"{code} {REASONS[code]}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, environ: WSGIEnvironment) -> Response:
        route = self._routes.get(environ.get("PATH_INFO", ""))
        if route is None:
            return 404, TEXT, b"not found\n"
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return 405, TEXT, b"method not allowed\n"
        return route(environ)

    def _metrics(self, environ: WSGIEnvironment) -> Response:
        encode, kind = choose_encoder(environ.get("HTTP_ACCEPT", ""))
        return 200, kind, encode(self._registry)

    def _healthy(self, environ: WSGIEnvironment) -> Response:  # noqa: ARG002
        if self._status().turning:
            return 200, TEXT, b"healthy\n"
        return 503, TEXT, b"no sample for too long\n"

    def _ready(self, environ: WSGIEnvironment) -> Response:  # noqa: ARG002
        status = self._status()
        if status.live is None:
            return 503, TEXT, b"not sampling yet\n"
        return 200, TEXT, f"sampling; {model_line(status.live, status.overview)}\n".encode()

    def _json(self, environ: WSGIEnvironment) -> Response:  # noqa: ARG002
        overview = self._status().overview
        if overview is None:
            return 503, TEXT, b"not sampling yet\n"
        return 200, "application/json", json.dumps(status_document(overview)).encode()

    def _page(self, environ: WSGIEnvironment) -> Response:  # noqa: ARG002
        status = self._status()
        line = "not sampling yet" if status.live is None else f"sampling; {model_line(status.live, status.overview)}"
        links = "".join(f'<li><a href="{p}">{p}</a></li>' for p in self._routes if p != "/")
        body = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>monitor</title>'
            f"<h1>monitor {escape(status.version)}</h1><p>{escape(line)}</p><ul>{links}</ul></html>\n"
        )
        return 200, "text/html; charset=utf-8", body.encode()

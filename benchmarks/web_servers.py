"""Candidate HTTP servers of the web benchmark, each serving the same WSGI application."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from monitor.exporter.collector import StateCollector
from monitor.sampling.sampler import SourceState
from monitor.state import DaemonState, LiveState
from storage import SAMPLE_FIELDS, Sample

CONNECTION_LIMIT = 600
"""Most connections held at a time, for the servers that have such a limit."""

IDLE_SECONDS = 10
THREADS = 4

Serve = Callable[[Any, int, Path | None], None]


class Page:
    """WSGI application that serves the metrics of a host with one sample, without the access control of monitor."""

    def __init__(self) -> None:
        sample = Sample(time.time(), **dict.fromkeys(SAMPLE_FIELDS, 0.25))
        sources = dict.fromkeys(("cpu", "disk", "memory", "network"), SourceState(True, 0.001, ""))
        live = LiveState(
            sample=sample,
            sources=sources,
            high_load=False,
            forecast=None,
            model_id=None,
            samples_total=1,
            samples_missed=0,
            predictions_total=0,
        )
        state = DaemonState("1", "3", live=live)
        self.registry = CollectorRegistry()
        self.registry.register(StateCollector(lambda: state))

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:  # noqa: ARG002
        body = generate_latest(self.registry)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]


def waitress(app: Any, port: int, certificate: Path | None) -> None:  # noqa: ARG001
    """Serve with waitress, the daemon's former server."""
    from waitress import serve  # noqa: PLC0415

    serve(
        app,
        listen=f"127.0.0.1:{port}",
        threads=THREADS,
        connection_limit=CONNECTION_LIMIT,
        channel_timeout=IDLE_SECONDS,
        cleanup_interval=5,
        asyncore_use_poll=True,
        asyncore_loop_timeout=5,
    )


def tornado(app: Any, port: int, certificate: Path | None) -> None:
    """Serve with tornado alone, without the limits of monitor/web/server.py."""
    import logging  # noqa: PLC0415

    from tornado.httpserver import HTTPServer  # noqa: PLC0415
    from tornado.wsgi import WSGIContainer  # noqa: PLC0415

    logging.getLogger("tornado").setLevel(logging.CRITICAL)

    async def serve() -> None:
        options: dict[str, Any] = {"idle_connection_timeout": IDLE_SECONDS, "ssl_options": context(certificate)}
        HTTPServer(WSGIContainer(app, ThreadPoolExecutor(THREADS)), **options).listen(port, "127.0.0.1")
        await asyncio.Event().wait()

    asyncio.run(serve())


def cheroot(app: Any, port: int, certificate: Path | None) -> None:
    """Serve with cheroot: a pool of threads, each of which reads one connection at a time."""
    from cheroot.ssl.builtin import BuiltinSSLAdapter  # noqa: PLC0415
    from cheroot.wsgi import Server  # noqa: PLC0415

    server = Server(("127.0.0.1", port), app, numthreads=THREADS, timeout=IDLE_SECONDS)
    if certificate:
        server.ssl_adapter = BuiltinSSLAdapter(str(certificate), str(certificate))
    server.start()


def uvicorn(app: Any, port: int, certificate: Path | None) -> None:
    """Serve with uvicorn: asyncio, h11 and its own WSGI wrapper."""
    import warnings  # noqa: PLC0415

    from uvicorn import run  # noqa: PLC0415

    warnings.simplefilter("ignore")
    run(
        app,
        port=port,
        interface="wsgi",
        limit_concurrency=CONNECTION_LIMIT,
        timeout_keep_alive=IDLE_SECONDS,
        log_level="critical",
        ssl_certfile=certificate,
        ssl_keyfile=certificate,
    )


def prometheus_client(app: Any, port: int, certificate: Path | None) -> None:
    """Serve with prometheus_client, for reference: one thread per connection, metrics on every path."""
    from prometheus_client import start_http_server  # noqa: PLC0415

    path = str(certificate) if certificate else None
    start_http_server(port, "127.0.0.1", app.registry, path, path)[1].join()


def monitor(app: Any, port: int, certificate: Path | None) -> None:
    """Serve with the daemon's server: tornado with limits and access control."""
    from monitor.web import WebServer  # noqa: PLC0415
    from monitor.web.allowed_hosts import AllowedHosts  # noqa: PLC0415
    from monitor.web.middleware import AccessMiddleware  # noqa: PLC0415
    from monitor.web.web_config.loader import WebConfigFile  # noqa: PLC0415

    web_file = WebConfigFile(tls_context=context(certificate))
    WebServer(
        ("127.0.0.1", port), AccessMiddleware(app, AllowedHosts(()), lambda: web_file), lambda: web_file
    ).start()
    threading.Event().wait()


def context(certificate: Path | None) -> ssl.SSLContext | None:
    """Return the TLS context of a server; None without a certificate."""
    if certificate is None:
        return None
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    return tls


CANDIDATES: dict[str, Serve] = {
    f.__name__: f for f in (waitress, tornado, monitor, cheroot, uvicorn, prometheus_client)
}


def make_certificate(directory: Path) -> Path:
    """Create a self-signed certificate for 127.0.0.1 with its key; return the file."""
    if shutil.which("openssl") is None:
        raise SystemExit("openssl is not installed")
    file = directory / "server.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    command = ["openssl", "req", "-x509", *curve, *subject, "-keyout", str(file), "-out", str(directory / "c.pem")]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    with file.open("a") as chain:
        chain.write((directory / "c.pem").read_text())
    return file

"""Which server goes under the endpoint: what each costs, and what is left of it while 400 slow clients hang on it.

Each candidate serves the same WSGI application in a process of its own, in one run: waitress (one thread reads all
sockets; no TLS), tornado (likewise, with TLS), cheroot (threads), uvicorn (asyncio, with its own WSGI wrapper) and
prometheus_client's own server (a thread a connection); and `monitor`, which is what was made of one of them. A slow
client has sent half a header or, over TLS, nothing at all. `python -m benchmarks.web tornado` measures one alone.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import math
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from prometheus_client import CollectorRegistry, generate_latest

from benchmarks.report import Figure, main
from monitor.exporter.collector import StateCollector
from monitor.sampling.sampler import SourceState
from monitor.state import DaemonState, LiveState
from storage import SAMPLE_FIELDS, Sample

SLOW = 400
BOUND = 600
"""Connections that those are told to hold at most which can be told."""

IDLE = 10
THREADS = 4
PATIENCE = 2.0
"""Seconds after which a scrape counts as lost."""

Serve = Callable[[Any, int, Path | None], None]


class Page:
    """The metrics of a host that was sampled once, without what monitor/web puts around them."""

    def __init__(self) -> None:
        sample = Sample(time.time(), **dict.fromkeys(SAMPLE_FIELDS, 0.25))
        sources = dict.fromkeys(("cpu", "disk", "memory", "network"), SourceState(True, 0.001, ""))
        status = DaemonState("1", "3", live=LiveState(sample, sources, False, None, None, 1, 0, 0, 0, 0))
        self.registry = CollectorRegistry()
        self.registry.register(StateCollector(lambda: status))

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:  # noqa: ARG002
        body = generate_latest(self.registry)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]


def waitress(app: Any, port: int, certificate: Path | None) -> None:  # noqa: ARG001
    """As the daemon ran it before."""
    from waitress import serve  # noqa: PLC0415

    serve(
        app,
        listen=f"127.0.0.1:{port}",
        threads=THREADS,
        connection_limit=BOUND,
        channel_timeout=IDLE,
        cleanup_interval=5,
        asyncore_use_poll=True,
        asyncore_loop_timeout=5,
    )


def tornado(app: Any, port: int, certificate: Path | None) -> None:
    """The library alone, without what monitor/web/server.py puts around it."""
    import logging  # noqa: PLC0415

    from tornado.httpserver import HTTPServer  # noqa: PLC0415
    from tornado.wsgi import WSGIContainer  # noqa: PLC0415

    logging.getLogger("tornado").setLevel(logging.CRITICAL)

    async def serve() -> None:
        options: dict[str, Any] = {"idle_connection_timeout": IDLE, "ssl_options": context(certificate)}
        HTTPServer(WSGIContainer(app, ThreadPoolExecutor(THREADS)), **options).listen(port, "127.0.0.1")
        await asyncio.Event().wait()

    asyncio.run(serve())


def cheroot(app: Any, port: int, certificate: Path | None) -> None:
    """A pool of threads, each of which reads one connection at a time."""
    from cheroot.ssl.builtin import BuiltinSSLAdapter  # noqa: PLC0415
    from cheroot.wsgi import Server  # noqa: PLC0415

    server = Server(("127.0.0.1", port), app, numthreads=THREADS, timeout=IDLE)
    if certificate:
        server.ssl_adapter = BuiltinSSLAdapter(str(certificate), str(certificate))
    server.start()


def uvicorn(app: Any, port: int, certificate: Path | None) -> None:
    """asyncio, with h11 and the wrapper that comes with it."""
    import warnings  # noqa: PLC0415

    from uvicorn import run  # noqa: PLC0415

    warnings.simplefilter("ignore")
    run(
        app,
        port=port,
        interface="wsgi",
        limit_concurrency=BOUND,
        timeout_keep_alive=IDLE,
        log_level="critical",
        ssl_certfile=certificate,
        ssl_keyfile=certificate,
    )


def prometheus_client(app: Any, port: int, certificate: Path | None) -> None:
    """For reference: a thread a connection, every path a page of metrics."""
    from prometheus_client import start_http_server  # noqa: PLC0415

    path = str(certificate) if certificate else None
    start_http_server(port, "127.0.0.1", app.registry, path, path)[1].join()


def monitor(app: Any, port: int, certificate: Path | None) -> None:
    """What the daemon runs: tornado, with the bounds and the guard around it."""
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
    """The server's side of TLS, None without a certificate."""
    if certificate is None:
        return None
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificate)
    return made


CANDIDATES: dict[str, Serve] = {
    f.__name__: f for f in (waitress, tornado, monitor, cheroot, uvicorn, prometheus_client)
}


class Served:
    """A candidate in a process of its own, and a client of it."""

    def __init__(self, name: str, certificate: Path | None) -> None:
        self.certificate = certificate
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        command = [sys.executable, "-m", "benchmarks.web", "--serve", f"{name}:{self.port}:{certificate or ''}"]
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._child.stdout is not None
        self.before = int(self._child.stdout.readline())
        self.process = psutil.Process(self._child.pid)
        self._trust = ssl.create_default_context(cafile=str(certificate)) if certificate else None

    def connect(self) -> http.client.HTTPConnection:
        """A new connection, not opened yet."""
        if self._trust:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=self._trust)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def scrape(self, connection: http.client.HTTPConnection | None = None) -> float:
        """Milliseconds that one scrape took, infinite where none came back."""
        began, over = time.perf_counter(), connection or self.connect()
        try:
            over.request("GET", "/metrics")
            answer = over.getresponse()
            answer.read()
        except OSError:
            return math.inf
        finally:
            if connection is None:
                over.close()
        return (time.perf_counter() - began) * 1000 if answer.status == 200 else math.inf

    def wait(self) -> None:
        """Until it answers."""
        for _ in range(100):
            if self.scrape() < math.inf:
                return
            time.sleep(0.1)
        raise SystemExit("the server did not come up")

    def cpu(self, scrapes: int, connection: Callable[[], http.client.HTTPConnection | None]) -> float:
        """CPU milliseconds of the server for one scrape."""
        before = self.process.cpu_times()
        for _ in range(scrapes):
            assert self.scrape(connection()) < math.inf
        after = self.process.cpu_times()
        return 1000 * (after.user + after.system - before.user - before.system) / scrapes

    @contextmanager
    def slow(self, count: int) -> Iterator[list[socket.socket]]:
        """Clients that hang: with half a header, over TLS with nothing."""
        found: list[socket.socket] = []
        try:
            # one that is slow to take them has as many as it will
            end = time.monotonic() + 3 * PATIENCE
            with suppress(TimeoutError):
                while len(found) < count and time.monotonic() < end:
                    found.append(socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE))
                    if self.certificate is None:
                        with suppress(OSError):
                            found[-1].sendall(b"GET /metrics HTTP/1.1\r\nHos")
            time.sleep(0.2)
            yield found
        finally:
            for connection in found:
                connection.close()

    def close(self) -> None:
        """Ends the process."""
        self._child.kill()
        self._child.wait()


def still_open(connections: list[socket.socket]) -> int:
    """How many of these the server has not closed."""
    count = 0
    for connection in connections:
        connection.setblocking(False)
        try:
            count += connection.recv(4096) != b""
        except BlockingIOError:
            count += 1
        except OSError:
            pass
    return count


def lost_after(scrapes: Iterator[float], most: int) -> list[float]:
    """The times of the scrapes, ended early where five were lost."""
    found: list[float] = []
    for took in scrapes:
        found.append(took)
        if len(found) == most or sum(map(math.isinf, found)) == 5:
            break
    return found


def ordinary(served: Served, scrapes: int) -> dict[str, tuple[float, str]]:
    """What a good scrape costs, and what the server itself does."""
    for _ in range(50):
        served.scrape()
    found = {"memory added": ((served.process.memory_info().rss - served.before) / 1e6, "MB")}
    found["CPU a scrape, new connection"] = served.cpu(scrapes, lambda: None), "ms"
    kept = served.connect()
    served.scrape(kept)
    # HTTP/1.0 closes
    if kept.sock is not None:
        found["CPU a scrape, kept connection"] = served.cpu(scrapes, lambda: kept), "ms"
    kept.close()
    return found


def hostile(served: Served, scrapes: int) -> dict[str, tuple[float, str]]:
    """What is left of it while slow clients hang, and beyond its bound."""
    found = {}
    with served.slow(SLOW) as slow:
        took = lost_after((served.scrape() for _ in range(scrapes)), scrapes)
        found[f"p50 beside {SLOW} slow"] = float(np.percentile(took, 50, method="nearest")), "ms"
        found[f"p99 beside {SLOW} slow"] = float(np.percentile(took, 99, method="nearest")), "ms"
        threads = served.process.num_threads()
        time.sleep(IDLE + 6)
        found[f"of {len(slow)} slow ones left after 16 s"] = still_open(slow), ""
    found["threads beside them"] = threads, ""
    with served.slow(BOUND + 200):
        took = lost_after((served.scrape() for _ in range(10)), 10)
        found[f"scrapes lost beside {BOUND + 200} slow"] = sum(map(math.isinf, took)) / len(took), ""
    return found


def measured(name: str, certificate: Path | None, scrapes: int) -> dict[str, tuple[float, str]]:
    """All figures of one candidate."""
    served = Served(name, certificate)
    try:
        served.wait()
        return {**ordinary(served, scrapes), **hostile(served, scrapes)}
    finally:
        served.close()


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Every candidate without and with TLS; the ratio is to waitress without."""
    figures: list[Figure] = []
    base: dict[str, tuple[float, str]] = {}
    with tempfile.TemporaryDirectory() as directory:
        certificate = make_certificate(Path(directory))
        for name in arguments.candidates or CANDIDATES:
            for tls in (None, certificate) if name != "waitress" else (None,):
                found = measured(name, tls, arguments.scrapes)
                base = base or (found if name == "waitress" else {})
                title = f"{name}{' TLS' if tls else ''}"
                figures += [figure(title, what, value, base.get(what)) for what, value in found.items()]
    return figures


def figure(title: str, what: str, value: tuple[float, str], base: tuple[float, str] | None) -> Figure:
    """One line, with its ratio to waitress where there is one."""
    ratio = f" ({value[0] / base[0]:.2f} of waitress)" if base and value[1] and base[0] else ""
    return Figure(f"{title}: {what}{ratio}", value[0], unit=value[1])


def make_certificate(directory: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, signed by itself."""
    if shutil.which("openssl") is None:
        raise SystemExit("openssl is not installed")
    made = directory / "server.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    command = ["openssl", "req", "-x509", *curve, *subject, "-keyout", str(made), "-out", str(directory / "c.pem")]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    with made.open("a") as together:
        together.write((directory / "c.pem").read_text())
    return made


def serve(what: str) -> None:
    """The child: says what it weighs before the server, and serves."""
    name, port, certificate = what.split(":", 2)
    app = Page()
    app({}, lambda *_: None)
    print(psutil.Process().memory_info().rss, flush=True)
    CANDIDATES[name](app, int(port), Path(certificate) if certificate else None)


def arguments_of(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("candidates", nargs="*", choices=[*CANDIDATES, []], help="which (default all)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
    else:
        scrapes = ("--scrapes", 300, "good scrapes of each kind")
        sys.exit(main(__doc__ or "", measure, scrapes, more=arguments_of))

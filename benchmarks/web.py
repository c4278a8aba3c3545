"""Benchmark of HTTP servers for the endpoint: costs, and behaviour with slow clients.

Each candidate serves the same WSGI application in a process of its own, in one run: waitress (one thread reads all
sockets; no TLS), tornado (the same, with TLS), cheroot (threads), uvicorn (asyncio, with its own WSGI wrapper),
prometheus_client's own server (one thread per connection), and `monitor`, the daemon's server on top of tornado. A
slow client has sent half a header or, over TLS, nothing. `python -m benchmarks.web tornado` measures one candidate.
"""

from __future__ import annotations

import argparse
import http.client
import math
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import psutil

from benchmarks.report import Figure, main
from benchmarks.web_servers import CANDIDATES, CONNECTION_LIMIT, IDLE_SECONDS, Page, make_certificate

SLOW_CLIENTS = 400
EXCESS_CLIENTS = CONNECTION_LIMIT + 200
SCRAPE_TIMEOUT = 2.0
"""Seconds after which a scrape counts as lost."""

MAX_LOST = 5
"""Lost scrapes after which a series of scrapes is ended."""

Measurements = dict[str, tuple[float, str]]
"""Values and units by name."""


class ServerProcess:
    """A candidate in a process of its own, and a client of it."""

    def __init__(self, name: str, certificate: Path | None) -> None:
        self.certificate = certificate
        with socket.create_server(("127.0.0.1", 0)) as unused:
            self.port = int(unused.getsockname()[1])
        command = [sys.executable, "-m", "benchmarks.web", "--serve", f"{name}:{self.port}:{certificate or ''}"]
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._child.stdout is not None
        self.memory_before = int(self._child.stdout.readline())
        self.process = psutil.Process(self._child.pid)
        self._trust = ssl.create_default_context(cafile=str(certificate)) if certificate else None

    def connect(self) -> http.client.HTTPConnection:
        """Return a new connection, not opened yet."""
        if self._trust:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=SCRAPE_TIMEOUT, context=self._trust)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=SCRAPE_TIMEOUT)

    def scrape(self, connection: http.client.HTTPConnection | None = None) -> float:
        """Return the duration of one scrape in milliseconds; infinite if it is lost."""
        started = time.perf_counter()
        client = connection or self.connect()
        try:
            client.request("GET", "/metrics")
            response = client.getresponse()
            response.read()
        except OSError:
            return math.inf
        finally:
            if connection is None:
                client.close()
        if response.status != 200:
            return math.inf
        return (time.perf_counter() - started) * 1000

    def wait(self) -> None:
        """Wait until the server responds."""
        for _ in range(100):
            if self.scrape() < math.inf:
                return
            time.sleep(0.1)
        raise SystemExit("the server did not start")

    def cpu(self, scrapes: int, connection: Callable[[], http.client.HTTPConnection | None]) -> float:
        """Return the CPU time of the server per scrape, in milliseconds."""
        before = self.process.cpu_times()
        for _ in range(scrapes):
            assert self.scrape(connection()) < math.inf
        after = self.process.cpu_times()
        return 1000 * (after.user + after.system - before.user - before.system) / scrapes

    @contextmanager
    def slow(self, count: int) -> Iterator[list[socket.socket]]:
        """Connect slow clients for the duration of a block: half a header sent, over TLS nothing."""
        clients: list[socket.socket] = []
        try:
            # A server that accepts slowly gets fewer clients.
            end = time.monotonic() + 3 * SCRAPE_TIMEOUT
            with suppress(TimeoutError):
                while len(clients) < count and time.monotonic() < end:
                    clients.append(socket.create_connection(("127.0.0.1", self.port), timeout=SCRAPE_TIMEOUT))
                    if self.certificate is None:
                        with suppress(OSError):
                            clients[-1].sendall(b"GET /metrics HTTP/1.1\r\nHos")
            time.sleep(0.2)
            yield clients
        finally:
            for connection in clients:
                connection.close()

    def close(self) -> None:
        """End the process."""
        self._child.kill()
        self._child.wait()


def count_open(connections: list[socket.socket]) -> int:
    """Return the number of connections that the server has not closed."""
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


def until_lost(scrapes: Iterator[float]) -> list[float]:
    """Return the durations of scrapes, up to the one with which `MAX_LOST` are lost."""
    durations: list[float] = []
    for duration in scrapes:
        durations.append(duration)
        if sum(map(math.isinf, durations)) == MAX_LOST:
            break
    return durations


def measure_costs(server: ServerProcess, scrapes: int) -> Measurements:
    """Measure memory, and CPU time per scrape, without slow clients."""
    for _ in range(50):
        server.scrape()
    memory_added = server.process.memory_info().rss - server.memory_before
    measurements: Measurements = {"memory added": (memory_added / 1e6, "MB")}
    measurements["CPU per scrape, new connection"] = server.cpu(scrapes, lambda: None), "ms"
    kept = server.connect()
    server.scrape(kept)
    # A server that speaks HTTP/1.0 has closed the connection.
    if kept.sock is not None:
        measurements["CPU per scrape, kept connection"] = server.cpu(scrapes, lambda: kept), "ms"
    kept.close()
    return measurements


def measure_resilience(server: ServerProcess, scrapes: int) -> Measurements:
    """Measure scrapes while slow clients are connected, up to the connection limit and beyond it."""
    measurements: Measurements = {}
    with server.slow(SLOW_CLIENTS) as clients:
        durations = until_lost(server.scrape() for _ in range(scrapes))
        p50, p99 = np.percentile(durations, (50, 99), method="nearest")
        measurements[f"p50 with {SLOW_CLIENTS} slow clients"] = float(p50), "ms"
        measurements[f"p99 with {SLOW_CLIENTS} slow clients"] = float(p99), "ms"
        threads = server.process.num_threads()
        wait = IDLE_SECONDS + 6
        time.sleep(wait)
        measurements[f"open after {wait} s of {len(clients)} slow clients"] = count_open(clients), ""
    measurements["threads with slow clients"] = threads, ""
    with server.slow(EXCESS_CLIENTS):
        durations = until_lost(server.scrape() for _ in range(10))
        lost = sum(map(math.isinf, durations)) / len(durations)
        measurements[f"ratio of scrapes lost with {EXCESS_CLIENTS} slow clients"] = lost, ""
    return measurements


def measure_candidate(name: str, certificate: Path | None, scrapes: int) -> Measurements:
    """Measure one candidate, over TLS with a certificate."""
    server = ServerProcess(name, certificate)
    try:
        server.wait()
        return {**measure_costs(server, scrapes), **measure_resilience(server, scrapes)}
    finally:
        server.close()


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Measure every candidate without and with TLS, and its ratio to waitress without TLS."""
    figures: list[Figure] = []
    reference: Measurements = {}
    with tempfile.TemporaryDirectory() as directory:
        certificate = make_certificate(Path(directory))
        for name in arguments.candidates or CANDIDATES:
            for tls in (None,) if name == "waitress" else (None, certificate):
                measurements = measure_candidate(name, tls, arguments.scrapes)
                if name == "waitress":
                    reference = measurements
                title = f"{name} TLS" if tls else name
                figures += [
                    figure(f"{title}: {measurement}", value, reference.get(measurement))
                    for measurement, value in measurements.items()
                ]
    return figures


def figure(name: str, measurement: tuple[float, str], reference: tuple[float, str] | None) -> Figure:
    """Return a figure, named after its ratio to the reference if one is given."""
    value, unit = measurement
    ratio = f" ({value / reference[0]:.2f} of waitress)" if reference and unit and reference[0] else ""
    return Figure(f"{name}{ratio}", value, unit=unit)


def serve(specification: str) -> None:
    """Run a candidate in this process, after printing its memory without the server.

    Args:
        specification: `NAME:PORT:CERTIFICATE`, the certificate empty for plain HTTP.
    """
    name, port, certificate = specification.split(":", 2)
    app = Page()
    app({}, lambda *_: None)
    print(psutil.Process().memory_info().rss, flush=True)
    CANDIDATES[name](app, int(port), Path(certificate) if certificate else None)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the candidates to the parser."""
    parser.add_argument(
        "candidates", nargs="*", choices=[*CANDIDATES, []], help="candidates to measure (default all)"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
    else:
        scrapes = ("--scrapes", 300, "scrapes per measurement")
        sys.exit(main(__doc__ or "", measure, scrapes, more=add_arguments))

"""Running exporters: scrapes and processor time of the daemon and of node_exporter."""

from __future__ import annotations

import http.client
import re
import socket
import time
import urllib.request
from dataclasses import dataclass

import psutil

REQUEST_HEADERS = {
    "Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
    "Accept-Encoding": "gzip",
}
"""Headers with which Prometheus scrapes."""


@dataclass(frozen=True)
class Endpoint:
    """A running exporter: its process and its port."""

    process: psutil.Process
    port: int


def free_port() -> int:
    """Return a port on which no process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def scrape(port: int) -> str:
    """Return the metrics page."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
        return str(response.read().decode())


class Scraper:
    """Client that scrapes as Prometheus does: in OpenMetrics, with gzip, over one connection that stays open."""

    def __init__(self, port: int) -> None:
        """Initialize a client; it connects at its first scrape, and again after the server has disconnected."""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)

    def scrape(self) -> None:
        """Scrape, and discard the answer."""
        try:
            self._request()
        except (http.client.RemoteDisconnected, ConnectionError):
            self._connection.close()
            self._request()

    def _request(self) -> None:
        self._connection.request("GET", "/metrics", headers=REQUEST_HEADERS)
        response = self._connection.getresponse()
        response.read()


def cpu_per_minute(daemon: Endpoint, peer: Endpoint, seconds: int, scrape_interval: int) -> tuple[float, float]:
    """Return the CPU seconds per minute of both exporters.

    Args:
        daemon: daemon, scraped every `scrape_interval` seconds.
        peer: node_exporter, scraped each second.
        seconds: duration of the measurement.
        scrape_interval: seconds.
    """
    endpoints = daemon, peer
    scraper, peer_scraper = (Scraper(endpoint.port) for endpoint in endpoints)
    before = [cpu_seconds(endpoint.process) for endpoint in endpoints]
    started = time.monotonic()
    for second in range(seconds):
        peer_scraper.scrape()
        if second % scrape_interval == 0:
            scraper.scrape()
        time.sleep(max(0.0, started + second + 1 - time.monotonic()))
    minutes = (time.monotonic() - started) / 60
    cpu, peer_cpu = (
        (cpu_seconds(endpoint.process) - earlier) / minutes
        for endpoint, earlier in zip(endpoints, before, strict=True)
    )
    return cpu, peer_cpu


def job_cpu_seconds(port: int) -> dict[str, float]:
    """Return the processor time of each job since the start of the daemon."""
    counters = re.findall(r'^monitor_job_cpu_seconds_total\{job="([^"]+)"\} (\S+)', scrape(port), re.MULTILINE)
    return {name: float(seconds) for name, seconds in counters}


def cpu_seconds(process: psutil.Process) -> float:
    """Return the user and system time of a process."""
    times = process.cpu_times()
    return float(times.user + times.system)

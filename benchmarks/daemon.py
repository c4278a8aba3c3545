"""Benchmark of the daemon: CPU and memory next to prometheus-node-exporter, sampling jitter.

The daemon samples every second, predicts with a model fitted on its history, and is scraped every 15 s. node_exporter
runs with its default collectors and is scraped every second, which gives the same resolution. Then retrainings run,
and the delay of the sampling cycles is measured meanwhile.
"""

from __future__ import annotations

import argparse
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from benchmarks.report import Figure, main
from model.features.labels import Rules
from model.forecast.serialization import dumps
from model.nn.fit_config import FitConfig
from model.training.pipeline import train
from model.training.settings import Recipe
from model.training.task import Task
from storage import SAMPLE_FIELDS, ModelRegistry, Sample, SampleRepository, open_database

CONFIG = """
[sampling]
interval = "1s"
[storage]
url = "sqlite:///{directory}/monitor.db"
[training]
interval = "30d"
[web]
listen = "127.0.0.1:{port}"
"""
HISTORY_SECONDS = 12 * 3600
SCRAPE_INTERVAL = 15
SETTLE_SECONDS = 120


def free_port() -> int:
    """Return a port on which no process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def scrape(port: int) -> str:
    """Return the metrics page."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
        return str(response.read().decode())


def prepare(directory: Path, rows: int = HISTORY_SECONDS, step: float = 1.0) -> None:
    """Store synthetic samples, half a day at 1 s by default, and promote a model fitted on them."""
    rng = np.random.default_rng(0)
    times = np.arange(rows) * step + float(int(time.time() - rows * step) - 60)
    busy = (times % 1800) < 300
    values = np.full((rows, len(SAMPLE_FIELDS)), np.nan)
    for i, name in enumerate(SAMPLE_FIELDS):
        values[:, i] = np.clip(0.3 + 0.6 * busy + rng.normal(0, 0.05 * min(step, 1.0), rows), 0, 1)
        if name.startswith(("network_r", "network_t", "disk_r", "disk_w")):
            values[:, i] = np.rint(np.exp(rng.normal(9, 1, rows)))
    task = Task(Rules(((("cpu_usage", 0.8),),), 60.0), (300.0, 900.0, 3600.0))
    candidate = train(times, values, SAMPLE_FIELDS, task, Recipe(fit=FitConfig(epochs=5)), np.random.default_rng(0))
    with open_database(f"sqlite:///{directory}/monitor.db") as database:
        samples = (Sample(float(at), *row) for at, row in zip(times, values.tolist(), strict=True))
        SampleRepository(database).append_many(samples)
        registry = ModelRegistry(database)
        registry.promote(registry.register(dumps(candidate.predictor), "{}", time.time()), time.time())


def settle(port: int) -> None:
    """Wait until the daemon has finished its first retraining, so that it does not fall into the measurement."""
    for _ in range(SETTLE_SECONDS):
        time.sleep(1)
        try:
            page = scrape(port)
        except OSError:
            continue
        if "monitor_retrain_running 0.0" in page and 'retrain_runs_total{outcome="promoted"} 1.0' in page:
            return
    raise SystemExit("the daemon did not finish its first retraining")


def cpu_seconds(process: psutil.Process) -> float:
    """Return the user and system time of a process."""
    times = process.cpu_times()
    return float(times.user + times.system)


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Measure both programs at the same time, then the jitter during retrainings."""
    exporter = shutil.which("prometheus-node-exporter")
    if exporter is None:
        raise SystemExit("prometheus-node-exporter is not installed (apt-get install prometheus-node-exporter)")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        port = free_port()
        peer_port = free_port()
        config = directory / "config.toml"
        config.write_text(CONFIG.format(directory=directory, port=port))
        prepare(directory)
        daemon = subprocess.Popen([sys.executable, "-m", "monitor", "--config", str(config), "run"])
        peer = subprocess.Popen([exporter, f"--web.listen-address=127.0.0.1:{peer_port}"], stderr=subprocess.DEVNULL)
        try:
            settle(port)
            figures = compare(
                Endpoint(psutil.Process(daemon.pid), port),
                Endpoint(psutil.Process(peer.pid), peer_port),
                arguments.seconds,
            )
            return figures + jitter(config, port, arguments.retrain_seconds)
        finally:
            for process in (daemon, peer):
                process.terminate()
                process.wait()


@dataclass(frozen=True)
class Endpoint:
    """A running exporter: its process and its port."""

    process: psutil.Process
    port: int


def compare(daemon: Endpoint, peer: Endpoint, seconds: int) -> list[Figure]:
    """Measure CPU time and memory of both exporters while each is scraped at its interval."""
    assert "monitor_high_load_probability" in scrape(daemon.port), "no model serves: the figures would be too low"
    cpu_before = cpu_seconds(daemon.process)
    peer_cpu_before = cpu_seconds(peer.process)
    started = time.monotonic()
    for second in range(seconds):
        scrape(peer.port)
        if second % SCRAPE_INTERVAL == 0:
            scrape(daemon.port)
        time.sleep(max(0.0, started + second + 1 - time.monotonic()))
    minutes = (time.monotonic() - started) / 60
    cpu = (cpu_seconds(daemon.process) - cpu_before) / minutes
    peer_cpu = (cpu_seconds(peer.process) - peer_cpu_before) / minutes
    memory = daemon.process.memory_full_info()
    return [
        Figure("CPU", cpu, unit="s/min"),
        Figure("CPU of node_exporter", peer_cpu, unit="s/min"),
        Figure("CPU over that of node_exporter", cpu / peer_cpu, most=0.4),
        Figure("RSS", memory.rss / 1e6, most=75, unit="MB"),
        Figure("PSS", memory.pss / 1e6, unit="MB"),
        Figure("RSS of node_exporter", peer.process.memory_info().rss / 1e6, unit="MB"),
    ]


def jitter(config: Path, port: int, seconds: int) -> list[Figure]:
    """Measure the delay of sampling cycles during consecutive retrainings, from the daemon's histogram."""
    before = delays(port)
    started = time.monotonic()
    runs = 0
    while time.monotonic() < started + seconds:
        command = [sys.executable, "-m", "monitor", "--config", str(config), "retrain", "--dry-run"]
        completed = subprocess.run(command, capture_output=True, text=True, check=False)
        assert completed.returncode in (0, 3), completed.stderr
        runs += 1
    counts = {bound: count - before[bound] for bound, count in delays(port).items()}
    return [
        Figure("retrainings", runs),
        Figure("samples during retrainings", counts[np.inf]),
        # The histogram yields the upper bound of the bucket that holds the quantile.
        Figure("sample jitter p50, at most", quantile(counts, 0.50) * 1000, unit="ms"),
        Figure("sample jitter p99, at most", quantile(counts, 0.99) * 1000, most=20, unit="ms"),
    ]


def delays(port: int) -> dict[float, float]:
    """Return the cumulative number of sampling cycles by upper bound of their delay in seconds."""
    pattern = r'^monitor_job_delay_seconds_bucket\{job="sampling_cycle",le="([^"]+)"\} (\S+)'
    buckets = re.findall(pattern, scrape(port), re.MULTILINE)
    return {float(bound): float(count) for bound, count in buckets}


def quantile(counts: dict[float, float], ratio: float) -> float:
    """Return the smallest bound of a cumulative histogram that holds this ratio of the observations."""
    return min(bound for bound, count in counts.items() if count >= ratio * counts[np.inf])


if __name__ == "__main__":
    sys.exit(
        main(
            __doc__ or "",
            measure,
            ("--seconds", 120, "duration of the comparison in seconds"),
            ("--retrain-seconds", 60, "duration of the retrainings in seconds"),
        )
    )

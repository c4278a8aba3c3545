"""What the daemon costs, beside Debian's prometheus-node-exporter in the same run.

The daemon samples every second, predicts with a model of its own and is scraped every 15 s; node_exporter, with its
default collectors, is scraped every second, which is what it takes to see a host that often. Then a retraining runs,
and the sampler's jitter is measured while it does.
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
HISTORY = 12 * 3600


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def scrape(port: int) -> str:
    """The metrics page."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def prepare(directory: Path) -> None:
    """Half a day of made-up history at 1 s, and a model trained on it that serves."""
    rng = np.random.default_rng(0)
    times = np.arange(HISTORY) + float(int(time.time()) - HISTORY - 60)
    busy = (times % 1800) < 300
    values = np.full((HISTORY, len(SAMPLE_FIELDS)), np.nan)
    for i, name in enumerate(SAMPLE_FIELDS):
        values[:, i] = np.clip(0.3 + 0.6 * busy + rng.normal(0, 0.05, HISTORY), 0, 1)
        if name.startswith(("network_r", "network_t", "disk_r", "disk_w")):
            values[:, i] = np.rint(np.exp(rng.normal(9, 1, HISTORY)))
    task = Task(Rules(((("cpu_usage", 0.8),),), 60.0), (300.0, 900.0, 3600.0))
    candidate = train(times, values, SAMPLE_FIELDS, task, Recipe(fit=FitConfig(epochs=5)), np.random.default_rng(0))
    with open_database(f"sqlite:///{directory}/monitor.db") as database:
        rows = (Sample(float(at), *row) for at, row in zip(times, values.tolist(), strict=True))
        SampleRepository(database).append_many(rows)
        registry = ModelRegistry(database)
        registry.promote(registry.register(dumps(candidate.predictor), "{}", time.time()), time.time())


def settle(port: int) -> None:
    """Waits until the daemon has done its first retraining, so that the minutes measured are like all others."""
    for _ in range(120):
        time.sleep(1)
        try:
            page = scrape(port)
        except OSError:
            continue
        if "monitor_retrain_running 0.0" in page and 'retrain_runs_total{outcome="promoted"} 1.0' in page:
            return
    raise SystemExit("the daemon did not settle")


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Both daemons side by side for some seconds, then a retraining."""
    exporter = shutil.which("prometheus-node-exporter")
    if exporter is None:
        raise SystemExit("prometheus-node-exporter is not installed (apt-get install prometheus-node-exporter)")
    with tempfile.TemporaryDirectory() as name:
        directory, port, peer_port = Path(name), free_port(), free_port()
        config = directory / "config.toml"
        config.write_text(CONFIG.format(directory=directory, port=port))
        prepare(directory)
        ours = subprocess.Popen([sys.executable, "-m", "monitor", "--config", str(config), "run"])
        peer = subprocess.Popen([exporter, f"--web.listen-address=127.0.0.1:{peer_port}"], stderr=subprocess.DEVNULL)
        try:
            settle(port)
            figures = side_by_side(
                psutil.Process(ours.pid), port, psutil.Process(peer.pid), peer_port, arguments.seconds
            )
            return figures + jitter(config, port, arguments.retrain_seconds)
        finally:
            for process in (ours, peer):
                process.terminate()
                process.wait()


def side_by_side(ours: psutil.Process, port: int, peer: psutil.Process, peer_port: int, seconds: int) -> list[Figure]:
    """CPU and memory of both, scraped at their rhythm."""
    assert "monitor_high_load_probability" in scrape(port), "a model must serve, or half of the work is not done"
    before = cpu_seconds(ours), cpu_seconds(peer)
    began = time.monotonic()
    for second in range(seconds):
        scrape(peer_port)
        if second % 15 == 0:
            scrape(port)
        time.sleep(max(0.0, began + second + 1 - time.monotonic()))
    minutes = (time.monotonic() - began) / 60
    own, other = ((cpu_seconds(p) - b) / minutes for p, b in zip((ours, peer), before, strict=True))
    memory = ours.memory_full_info()
    return [
        Figure("CPU", own, unit="s/min"),
        Figure("CPU of node_exporter", other, unit="s/min"),
        Figure("CPU over that of node_exporter", own / other, most=0.4),
        Figure("RSS", memory.rss / 1e6, most=75, unit="MB"),
        Figure("PSS", memory.pss / 1e6, unit="MB"),
        Figure("RSS of node_exporter", peer.memory_info().rss / 1e6, unit="MB"),
    ]


def jitter(config: Path, port: int, seconds: int) -> list[Figure]:
    """How late samples begin while retrainings run one after the other, from the daemon's own histogram."""
    before, began, runs = delays(port), time.monotonic(), 0
    while time.monotonic() < began + seconds:
        command = [sys.executable, "-m", "monitor", "--config", str(config), "retrain", "--dry-run"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 3), done.stderr
        runs += 1
    counts = {bound: count - before[bound] for bound, count in delays(port).items()}
    return [
        Figure("retrainings meanwhile", runs),
        Figure("samples meanwhile", counts[np.inf]),
        # the histogram gives the bound that holds 99 of 100, not the figure itself
        Figure("sample jitter p50, at most", quantile(counts, 0.50) * 1000, unit="ms"),
        Figure("sample jitter p99, at most", quantile(counts, 0.99) * 1000, most=20, unit="ms"),
    ]


def delays(port: int) -> dict[float, float]:
    """Samples by the upper bound of their delay, cumulative."""
    found = re.findall(
        r'^monitor_job_delay_seconds_bucket\{job="sampling_cycle",le="([^"]+)"\} (\S+)', scrape(port), re.MULTILINE
    )
    return {float(bound): float(count) for bound, count in found}


def quantile(counts: dict[float, float], share: float) -> float:
    """The smallest bound that holds this share of a cumulative histogram."""
    return min(bound for bound, count in counts.items() if count >= share * counts[np.inf])


if __name__ == "__main__":
    sys.exit(
        main(
            __doc__ or "",
            measure,
            ("--seconds", 120, "how long both run side by side"),
            ("--retrain-seconds", 60, "how long retrainings run"),
        )
    )

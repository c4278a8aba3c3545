"""Benchmark of the daemon: CPU and memory next to prometheus-node-exporter, sampling jitter.

The daemon samples every second, predicts with a model fitted on its history, and is scraped every 15 s; then every
second. node_exporter runs with its default collectors and is scraped every second, which gives the same resolution.
At last retrainings run, and the delay of the sampling cycles is measured meanwhile. Each figure is compared with the
last record in benchmarks/results/daemon.json; `--record` replaces it.

    python -m benchmarks.daemon --fast

takes two minutes, and says whether CPU and memory are within 1.5 times the record. It never fails, and measures
nothing on a busy machine.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil

from benchmarks.exporters import Endpoint, cpu_per_minute, free_port, job_cpu_seconds, scrape
from benchmarks.report import Figure, main, with_record
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
RECORD = Path(__file__).parent / "results" / "daemon.json"

FAST_SECONDS = 60
FAST_FIGURES = ("CPU over that of node_exporter", "PSS")
FAST_TOLERANCE = 1.5

BUSY_PERCENT = 25.0
"""Use of all CPUs, before the start, above which the fast form measures nothing."""


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


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Measure both programs at the same time, then the jitter during retrainings."""
    exporter = shutil.which("prometheus-node-exporter")
    if exporter is None:
        raise SystemExit("prometheus-node-exporter is not installed (apt-get install prometheus-node-exporter)")
    if arguments.fast and psutil.cpu_percent(3.0) > BUSY_PERCENT:
        print("not measured: the machine is busy")
        raise SystemExit(0)
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
            endpoints = Endpoint(psutil.Process(daemon.pid), port), Endpoint(psutil.Process(peer.pid), peer_port)
            if arguments.fast:
                return fast_figures(compare(*endpoints, FAST_SECONDS))
            figures = compare(*endpoints, arguments.seconds)
            figures += busy_scrapes(*endpoints, arguments.seconds // 2)
            figures += jitter(config, port, arguments.retrain_seconds)
            return with_record(figures, RECORD, record=arguments.record)
        finally:
            for process in (daemon, peer):
                process.terminate()
                process.wait()


def fast_figures(figures: list[Figure]) -> list[Figure]:
    """Return FAST_FIGURES with the record, and print those that exceed it."""
    chosen = [replace(figure, most=None) for figure in figures if figure.name in FAST_FIGURES]
    chosen = with_record(chosen, RECORD, record=False)
    for figure in chosen:
        if figure.recorded and figure.value > FAST_TOLERANCE * figure.recorded:
            print(f"{figure.name}: more than {FAST_TOLERANCE:g} times the record; run python -m benchmarks.daemon")
    return chosen


def compare(daemon: Endpoint, peer: Endpoint, seconds: int) -> list[Figure]:
    """Measure CPU time and memory of both exporters, of which the peer is scraped each second."""
    assert "monitor_high_load_probability" in scrape(daemon.port), "no model serves: the figures would be too low"
    jobs_before = job_cpu_seconds(daemon.port)
    cpu, peer_cpu = cpu_per_minute(daemon, peer, seconds, SCRAPE_INTERVAL)
    jobs = job_cpu_seconds(daemon.port)
    memory = daemon.process.memory_full_info()
    return [
        Figure("CPU", cpu, unit="s/min"),
        Figure("CPU of node_exporter", peer_cpu, unit="s/min"),
        Figure("CPU over that of node_exporter", cpu / peer_cpu, most=0.4),
        *(
            Figure(f"CPU of job {name}", (jobs[name] - jobs_before[name]) * 60 / seconds, unit="s/min")
            for name in sorted(jobs, key=lambda name: jobs_before[name] - jobs[name])
        ),
        Figure("RSS", memory.rss / 1e6, most=75, unit="MB"),
        Figure("PSS", memory.pss / 1e6, most=61, unit="MB"),
        Figure("RSS of node_exporter", peer.process.memory_info().rss / 1e6, unit="MB"),
    ]


def busy_scrapes(daemon: Endpoint, peer: Endpoint, seconds: int) -> list[Figure]:
    """Measure the CPU time of both exporters while both are scraped each second."""
    cpu, peer_cpu = cpu_per_minute(daemon, peer, seconds, 1)
    return [
        Figure("CPU, scraped each second", cpu, unit="s/min"),
        Figure("CPU, scraped each second, over that of node_exporter", cpu / peer_cpu, most=0.6),
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


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options without a value."""
    parser.add_argument("--fast", action="store_true", help="two minutes: CPU and memory against the record")
    parser.add_argument("--record", action="store_true", help="write the figures as the new record")


if __name__ == "__main__":
    sys.exit(
        main(
            __doc__ or "",
            measure,
            ("--seconds", 120, "duration of the comparison in seconds"),
            ("--retrain-seconds", 60, "duration of the retrainings in seconds"),
            more=add_options,
        )
    )

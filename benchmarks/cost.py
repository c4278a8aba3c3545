"""What a retraining costs on a long history, and one live prediction with the model it made.

    python -m benchmarks.cost --days 30

The history is made up: twelve metrics every 5 seconds, with jobs and a rhythm of the day. The retraining is the
command that the daemon starts, on one core; a prediction is what a tick does between its sample and its publication.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.report import Figure, main
from model.anomaly.detector import fit_detector
from model.anomaly.online_detector import OnlineDetector
from model.units import DAY, HOUR
from monitor.config.loader import load_config
from monitor.inference.served_model import ServedModel
from monitor.stores import open_stores
from storage import SAMPLE_FIELDS, Sample, SampleRepository, open_database

STEP = 5.0
RATES = ("network_receive", "network_transmit", "disk_read", "disk_write")
OTHERS = ("memory_usage", "load_per_cpu", "disk_busy", "cpu_iowait", "swap_usage", "pressure_cpu", "pressure_io")
TICKS = 1000
CONFIG = """
[storage]
url = "sqlite:///{directory}/monitor.db"
retention = "{days}d"
[training]
history = "{days}d"
timeout = "1h"
"""


def fill(directory: Path, days: int) -> float:
    """Writes the history; returns when it ends."""
    rng, end = np.random.default_rng(0), float(np.floor(time.time() / STEP) * STEP)
    with open_database(f"sqlite:///{directory}/monitor.db") as database:
        for day in range(days):
            times = end - (days - day) * DAY + STEP * np.arange(1, DAY / STEP + 1)
            SampleRepository(database).insert_missing(np.column_stack([times, samples(times, rng)]))
    return end


def samples(times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(rows, fields) of some moments."""
    n, hour = len(times), times % DAY / HOUR
    busy = ((hour > 9) & (hour < 18) & (times // 1200 % 3 == 0)) | ((hour > 2) & (hour < 2.3))
    values = np.full((n, len(SAMPLE_FIELDS)), np.nan)
    cpu = 0.2 + 0.15 * np.sin(hour / 24 * 2 * np.pi) + 0.6 * busy + rng.normal(0, 0.04, n)
    values[:, SAMPLE_FIELDS.index("cpu_usage")] = np.clip(cpu, 0, 1)
    for name in RATES:
        values[:, SAMPLE_FIELDS.index(name)] = np.exp(rng.normal(8, 2, n))
    for name in OTHERS:
        values[:, SAMPLE_FIELDS.index(name)] = np.clip(0.4 + 0.2 * cpu + rng.normal(0, 0.02, n), 0, 1)
    return values


def predictions(config: Path, end: float) -> tuple[float, float]:
    """Median and 99th percentile in seconds of taking in a sample and predicting."""
    settings, rng, found = load_config(config), np.random.default_rng(1), []
    with open_stores(settings.database_url) as stores:
        served = ServedModel(stores, settings.rules, STEP)
        times = end + STEP * np.arange(1, TICKS + 100)
        for at, row in zip(times.tolist(), samples(times, rng).tolist(), strict=True):
            sample = Sample(at, *(None if value != value else value for value in row))  # noqa: PLR0124 - NaN
            began = time.perf_counter()
            served.advance(sample)
            forecast = served.forecast()
            found.append(time.perf_counter() - began)
            if forecast is None:
                raise SystemExit("no model serves")
    found = found[100:]
    return statistics.median(found), statistics.quantiles(found, n=100)[98]


def anomaly_scores() -> tuple[float, float]:
    """Median and 99th percentile in seconds of one row of all metrics taken in and scored for anomalies."""
    rng, step = np.random.default_rng(2), 60.0
    times = step * np.arange(1, 5 * DAY / step)
    values = samples(times, rng)
    missing = np.isnan(values).all(axis=0)
    values[:, missing] = rng.random((len(times), int(missing.sum())))
    detector = fit_detector(times[:-TICKS], values[:-TICKS], SAMPLE_FIELDS, step)
    online, found = OnlineDetector([detector], 2.0), []
    for at, row in zip(times[-TICKS:], values[-TICKS:], strict=True):
        began = time.perf_counter()
        online.step(float(at), row[None])
        found.append(time.perf_counter() - began)
    return statistics.median(found), statistics.quantiles(found, n=100)[98]


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """The figures for a history of so many days."""
    days = arguments.days
    with tempfile.TemporaryDirectory() as name:
        directory, config = Path(name), Path(name) / "config.toml"
        config.write_text(CONFIG.format(directory=name, days=days))
        end = fill(directory, days)
        command = [sys.executable, "-m", "monitor", "--config", str(config), "retrain", "--json"]
        alone = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        found = subprocess.run(command, capture_output=True, text=True, check=False, env=alone)
        if found.returncode:
            raise SystemExit(found.stderr)
        report = json.loads(found.stdout)["report"]
        median, late = predictions(config, end)
    score, late_score = anomaly_scores()
    growth = 4 if days > 30 else 1
    return [
        Figure(f"retraining on {days} d of {STEP:g} s samples", report["seconds"], 60.0 * growth, "s"),
        Figure("its peak memory", report["peak_memory_bytes"] / 2**20, 500.0 * growth, "MiB"),
        Figure("one live prediction, median", 1e3 * median, 1.0, "ms"),
        Figure("one live prediction, 99th percentile", 1e3 * late, None, "ms"),
        Figure(f"one score of anomalies over {len(SAMPLE_FIELDS)} metrics, median", 1e3 * score, 0.2, "ms"),
        Figure("one score of anomalies, 99th percentile", 1e3 * late_score, None, "ms"),
    ]


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", measure, ("--days", 30, "days of history")))

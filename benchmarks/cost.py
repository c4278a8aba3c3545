"""Benchmark of a retraining on a long history, a live prediction and an anomaly score.

    python -m benchmarks.cost --days 30

The history is synthetic: twelve metrics every 5 seconds, with jobs and a daily rhythm. The retraining is the command
that the daemon starts, on one core. A prediction is the part of a sampling cycle between sampling and publication.
"""

from __future__ import annotations

import argparse
import json
import math
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
from monitor.inference.registry_follower import RegistryFollower
from monitor.inference.served_model import ServedModel
from monitor.stores import open_stores
from storage import SAMPLE_FIELDS, Sample, SampleRepository, open_database

STEP = 5.0
RATE_FIELDS = ("network_receive", "network_transmit", "disk_read", "disk_write")
RATIO_FIELDS = (
    "memory_usage",
    "load_per_cpu",
    "disk_busy",
    "cpu_iowait",
    "swap_usage",
    "pressure_cpu",
    "pressure_io",
)
CYCLES = 1000
WARM_UP_CYCLES = 100
ANOMALY_STEP = 60.0
CONFIG = """
[storage]
url = "sqlite:///{directory}/monitor.db"
retention = "{days}d"
[training]
history = "{days}d"
timeout = "1h"
"""


def fill(directory: Path, days: int) -> float:
    """Store the history; return the time of its last sample."""
    rng = np.random.default_rng(0)
    end = float(np.floor(time.time() / STEP) * STEP)
    with open_database(f"sqlite:///{directory}/monitor.db") as database:
        for day in range(days):
            times = end - (days - day) * DAY + STEP * np.arange(1, DAY / STEP + 1)
            SampleRepository(database).insert_missing(np.column_stack([times, samples(times, rng)]))
    return end


def samples(times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the values (rows, fields) of synthetic samples at some times."""
    n = len(times)
    hour = times % DAY / HOUR
    busy = ((hour > 9) & (hour < 18) & (times // 1200 % 3 == 0)) | ((hour > 2) & (hour < 2.3))
    values = np.full((n, len(SAMPLE_FIELDS)), np.nan)
    cpu = 0.2 + 0.15 * np.sin(hour / 24 * 2 * np.pi) + 0.6 * busy + rng.normal(0, 0.04, n)
    values[:, SAMPLE_FIELDS.index("cpu_usage")] = np.clip(cpu, 0, 1)
    for name in RATE_FIELDS:
        values[:, SAMPLE_FIELDS.index(name)] = np.exp(rng.normal(8, 2, n))
    for name in RATIO_FIELDS:
        values[:, SAMPLE_FIELDS.index(name)] = np.clip(0.4 + 0.2 * cpu + rng.normal(0, 0.02, n), 0, 1)
    return values


def time_predictions(config: Path, end: float) -> tuple[float, float]:
    """Return the median and the 99th percentile of the duration of a prediction, in seconds."""
    settings = load_config(config)
    rng = np.random.default_rng(1)
    durations = []
    with open_stores(settings.database_url) as stores:
        served = ServedModel(settings.rules, STEP)
        RegistryFollower(stores, served).follow(end)
        times = end + STEP * np.arange(1, CYCLES + WARM_UP_CYCLES)
        for at, row in zip(times.tolist(), samples(times, rng).tolist(), strict=True):
            sample = Sample(at, *(None if math.isnan(value) else value for value in row))
            started = time.perf_counter()
            served.advance(sample)
            forecast = served.forecast()
            durations.append(time.perf_counter() - started)
            if forecast is None:
                raise SystemExit("no model serves")
    return median_and_p99(durations[WARM_UP_CYCLES:])


def time_anomaly_scores() -> tuple[float, float]:
    """Return the median and the 99th percentile of the duration of scoring a row of all metrics, in seconds."""
    rng = np.random.default_rng(2)
    times = ANOMALY_STEP * np.arange(1, 5 * DAY / ANOMALY_STEP)
    values = samples(times, rng)
    missing = np.isnan(values).all(axis=0)
    values[:, missing] = rng.random((len(times), int(missing.sum())))
    detector = fit_detector(times[:-CYCLES], values[:-CYCLES], SAMPLE_FIELDS, ANOMALY_STEP)
    online = OnlineDetector([detector], 2.0)
    durations = []
    for at, row in zip(times[-CYCLES:], values[-CYCLES:], strict=True):
        started = time.perf_counter()
        online.step(float(at), row[None])
        durations.append(time.perf_counter() - started)
    return median_and_p99(durations)


def median_and_p99(durations: list[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile."""
    return statistics.median(durations), statistics.quantiles(durations, n=100)[98]


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Measure training, prediction and anomaly score for a history of `arguments.days` days."""
    days = arguments.days
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "config.toml"
        config.write_text(CONFIG.format(directory=name, days=days))
        end = fill(Path(name), days)
        command = [sys.executable, "-m", "monitor", "--config", str(config), "retrain", "--json"]
        single_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        completed = subprocess.run(command, capture_output=True, text=True, check=False, env=single_thread)
        if completed.returncode:
            raise SystemExit(completed.stderr)
        report = json.loads(completed.stdout)["report"]
        prediction, prediction_p99 = time_predictions(config, end)
    score, score_p99 = time_anomaly_scores()
    is_long = days > 30
    metrics = len(SAMPLE_FIELDS)
    return [
        Figure(f"retraining on {days} d of {STEP:g} s samples", report["seconds"], 240.0 if is_long else 60.0, "s"),
        Figure("peak memory of the retraining", report["peak_memory_bytes"] / 1e6, 600.0 if is_long else 400.0, "MB"),
        Figure("one live prediction, median", 1e3 * prediction, 1.0, "ms"),
        Figure("one live prediction, 99th percentile", 1e3 * prediction_p99, None, "ms"),
        Figure(f"one anomaly score over {metrics} metrics, median", 1e3 * score, 0.2, "ms"),
        Figure("one anomaly score, 99th percentile", 1e3 * score_p99, None, "ms"),
    ]


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", measure, ("--days", 30, "days of history")))

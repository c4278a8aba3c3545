"""Accelerated soak: the jobs of the daemon on a clock of their own."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.daemon import prepare
from benchmarks.report import Figure
from benchmarks.soak_readings import Reading, print_header, read_process, resource_figures, rise
from monitor.config.loader import Config, load_config
from monitor.daemon.memory import tune_malloc
from monitor.daemon.stepped import SteppedDaemon
from monitor.daemon.storage import DaemonStorage
from monitor.sampling.sources.base import Values
from monitor.web.application import Application
from storage import SAMPLE_FIELDS

CONFIG = """
[sampling]
interval = "{interval}s"
[storage]
url = "sqlite:///{directory}/monitor.db"
retention = "7d"
[training]
interval = "365d"
min_history = "1d"
"""

DAY = 86400.0
HISTORY_DAYS = 8
"""Days of history before the soak: more than the retention, so that the database has its final size at the start."""

WARM_UP = 5 * DAY
READING_INTERVAL = DAY / 4
SCRAPE_INTERVAL = 300.0
PAGE_INTERVAL = 3600.0
PAGE_PATHS = ("/", "/api/v1/status", "/api/v1/history", "/api/v1/anomalies", "/api/v1/models")


class Clock:
    """Clock that is set by the soak; returns seconds since the epoch."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class SyntheticSource:
    """Source of all metrics: five minutes of high load each half hour, with noise."""

    name = "cpu"
    fields = SAMPLE_FIELDS
    optional = False

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rng = np.random.default_rng(0)

    def read(self) -> Any:
        return self._rng.normal(0, 0.05, len(SAMPLE_FIELDS))

    def compute(self, reading: Any, at: float, max_age: float) -> Values:  # noqa: ARG002
        level = 0.9 if self._clock() % 1800 < 300 else 0.3
        values: Values = {}
        for name, noise in zip(SAMPLE_FIELDS, reading.tolist(), strict=True):
            is_rate = name.startswith(("network_r", "network_t", "disk_r", "disk_w"))
            values[name] = round(8000 * (1 + noise)) if is_rate else min(max(level + noise, 0.0), 1.0)
        return values


def soak_jobs(arguments: argparse.Namespace, directory: Path) -> list[Figure]:
    """Run the jobs for `--days`, print a row each six hours, and return the figures after the warm-up."""
    tune_malloc()
    interval = arguments.step
    config_path = directory / "config.toml"
    config_path.write_text(CONFIG.format(directory=directory, interval=interval))
    prepare(directory, int(HISTORY_DAYS * DAY / interval), interval)
    # A training run of the command, so that a detector runs, too.
    command = [sys.executable, "-m", "monitor", "--config", str(config_path), "retrain", "--force"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    config = load_config(config_path)
    clock = Clock(time.time() // interval * interval)
    with closing(DaemonStorage(config.storage.url)) as storage:
        storage.ensure_open()
        readings = AcceleratedDaemon(config, storage, clock).run(arguments.days * DAY, directory / "monitor.db")
    used = [reading for reading in readings if reading.seconds >= min(WARM_UP, arguments.days * DAY / 2)]
    return [
        Figure("days", arguments.days),
        Figure("RSS, rise", rise(used, lambda r: r.rss), most=3, unit="MB"),
        *resource_figures(used),
        Figure("database, largest", max(reading.database for reading in used), unit="MB"),
        Figure("database, rise", rise(used, lambda r: r.database), most=0.05 * used[0].database, unit="MB"),
    ]


class AcceleratedDaemon:
    """Daemon in accelerated time with a web application that is scraped."""

    def __init__(self, config: Config, storage: DaemonStorage, clock: Clock) -> None:
        self._clock = clock
        self._interval = config.sampling.interval
        self._daemon = SteppedDaemon(config, storage, (SyntheticSource(clock),), clock)
        holder = self._daemon.holder
        self._application = Application(holder.state, lambda: holder.records)
        self._due: dict[str, float] = {}

    def run(self, seconds: float, database: Path) -> list[Reading]:
        """Run for a time of the clock, and return the readings."""
        started = self._clock()
        process = psutil.Process()
        readings: list[Reading] = []
        print_header()
        while self._clock() < started + seconds:
            self._clock.now += self._interval
            self._daemon.sample()
            self._daemon.store()
            self._daemon.run_due_jobs()
            if self._is_due("scrape", SCRAPE_INTERVAL):
                self._request("/metrics")
            if self._is_due("page", PAGE_INTERVAL):
                for path in PAGE_PATHS:
                    self._request(path)
            if self._is_due("reading", READING_INTERVAL):
                readings.append(read_process(process, database, self._clock() - started))
        return readings

    def _is_due(self, name: str, interval: float) -> bool:
        now = self._clock()
        if now < self._due.get(name, 0.0):
            return False
        self._due[name] = now + interval
        return True

    def _request(self, path: str) -> None:
        def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:  # noqa: ARG001
            assert status.startswith("200"), f"{path}: {status}"

        environ: Mapping[str, Any] = {
            "PATH_INFO": path,
            "REQUEST_METHOD": "GET",
            "QUERY_STRING": "",
            "HTTP_ACCEPT_ENCODING": "gzip",
            "wsgi.input": BytesIO(),
        }
        assert b"".join(self._application(dict(environ), start_response))

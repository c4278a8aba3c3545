"""Soak test: memory, descriptors, threads and database size of the daemon over time.

`--minutes` runs the daemon in real time, samples fast, scrapes it and views its page. Its model is fitted on a
history at the same interval, so that all windows of the features are full from the start. `--days` runs its jobs
in accelerated time instead. `--check` exits with code 1 if a limit is exceeded.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks.daemon import prepare
from benchmarks.exporters import free_port
from benchmarks.report import Figure, main
from benchmarks.soak_jobs import PAGE_PATHS, soak_jobs
from benchmarks.soak_readings import (
    MAX_RSS_SLOPE,
    MINUTE,
    Reading,
    print_header,
    read_process,
    resource_figures,
    slope_per_hour,
)
from storage import TrainingOutcome, TrainingRun, TrainingRunRepository, open_database

CONFIG = """
[storage]
url = "sqlite:///{directory}/monitor.db"
[training]
interval = "30d"
[web]
listen = "127.0.0.1:{port}"
"""

LAUNCHER = """
import sys
from dataclasses import replace
from pathlib import Path
from monitor.config.loader import load_config
from monitor.daemon.lifecycle import run
from monitor.system.logging import setup_logging
config = load_config(Path(sys.argv[1]))
setup_logging("info", "text")
run(replace(config, sampling=replace(config.sampling, interval=float(sys.argv[2]))))
"""
"""Program that runs the daemon at an interval below the smallest one that the configuration allows."""

HISTORY_SECONDS = 5 * 3600
"""Length of the stored history: longer than the longest window of the features."""


def record_training(directory: Path) -> None:
    """Record a training run, so that the daemon starts none during the soak."""
    now = time.time()
    run = TrainingRun(now, now, TrainingOutcome.PROMOTED, "", 1, "{}")
    with open_database(f"sqlite:///{directory}/monitor.db") as database:
        TrainingRunRepository(database).append(run)


def request_forever(port: int, paths: Sequence[str], interval: float, stop: threading.Event) -> None:
    """Request the paths in turn, all of them each `interval` seconds, until `stop` is set; failures are ignored."""
    due = time.monotonic()
    while not stop.is_set():
        for path in paths:
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Accept-Encoding": "gzip"})
            try:
                with urllib.request.urlopen(request, timeout=10) as response:
                    response.read()
            except OSError:
                pass
        due = max(due + interval, time.monotonic())
        stop.wait(due - time.monotonic())


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Run one of the soaks in a temporary directory, print a row for each reading, and return the figures."""
    with tempfile.TemporaryDirectory() as name:
        if arguments.days:
            return soak_jobs(arguments, Path(name))
        return soak_daemon(arguments, Path(name))


def soak_daemon(arguments: argparse.Namespace, directory: Path) -> list[Figure]:
    """Run the daemon under load for `--minutes`, and return the figures after the warm-up."""
    port = free_port()
    config = directory / "config.toml"
    config.write_text(CONFIG.format(directory=directory, port=port))
    prepare(directory, int(HISTORY_SECONDS / arguments.interval), arguments.interval)
    record_training(directory)
    command = [sys.executable, "-c", LAUNCHER, str(config), str(arguments.interval)]
    daemon = subprocess.Popen(command, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    stop = threading.Event()
    loads = (
        (("/metrics",), arguments.scrape_interval),
        (PAGE_PATHS, arguments.page_interval),
    )
    clients = [threading.Thread(target=request_forever, args=(port, *load, stop)) for load in loads]
    try:
        time.sleep(5)
        for client in clients:
            client.start()
        readings = watch(psutil.Process(daemon.pid), directory / "monitor.db", arguments)
    finally:
        stop.set()
        for client in clients:
            client.join()
        daemon.terminate()
        daemon.wait()
    used = [reading for reading in readings if reading.seconds >= arguments.warm_up * MINUTE] or readings
    return [
        Figure("minutes after the warm-up", (used[-1].seconds - used[0].seconds) / MINUTE),
        Figure("RSS slope", slope_per_hour(used, lambda r: r.rss), most=MAX_RSS_SLOPE, unit="MB/h"),
        Figure("PSS slope", slope_per_hour(used, lambda r: r.pss), unit="MB/h"),
        *resource_figures(used),
        Figure("database slope", slope_per_hour(used, lambda r: r.database), unit="MB/h"),
    ]


def watch(process: psutil.Process, database: Path, arguments: argparse.Namespace) -> list[Reading]:
    """Read the state of the daemon every `--every` seconds for `--minutes`."""
    print_header()
    started = time.monotonic()
    readings: list[Reading] = []
    while not readings or readings[-1].seconds < arguments.minutes * MINUTE:
        readings.append(read_process(process, database, time.monotonic() - started))
        time.sleep(arguments.every)
    return readings


if __name__ == "__main__":
    sys.exit(
        main(
            __doc__ or "",
            measure,
            ("--minutes", 30.0, "duration of the soak in real time"),
            ("--warm-up", 10.0, "minutes that the figures leave out"),
            ("--every", 5.0, "seconds between two readings"),
            ("--interval", 0.2, "seconds between two samples"),
            ("--scrape-interval", 1.0, "seconds between two scrapes"),
            ("--page-interval", 10.0, "seconds between two page views"),
            ("--days", 0.0, "days of the soak in accelerated time, instead of --minutes"),
            ("--step", 60, "seconds between two samples in accelerated time"),
        )
    )

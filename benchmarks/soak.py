"""Soak test: memory, descriptors, threads and database size of a daemon under load.

The daemon samples fast, with a model fitted on a history at the same interval, so that all windows of the features
are full from the start. Slopes are least-squares fits over the time after the warm-up.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import psutil

from benchmarks.daemon import free_port, prepare
from benchmarks.report import Figure, main
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

PAGE_PATHS = ("/", "/api/v1/status", "/api/v1/history", "/api/v1/anomalies", "/api/v1/models")
"""Requests of one page view: the page and the documents that its script reads."""


@dataclass(frozen=True)
class Reading:
    """State of the daemon's process and files: time in seconds, sizes in MB, counts."""

    seconds: float
    rss: float
    pss: float
    descriptors: float
    threads: float
    wal: float
    database: float


COLUMNS = ("seconds", "RSS MB", "PSS MB", "descr.", "threads", "WAL MB", "DB MB")


def record_training(directory: Path) -> None:
    """Record a training run, so that the daemon starts none during the soak."""
    now = time.time()
    run = TrainingRun(now, now, TrainingOutcome.PROMOTED, "", 1, "{}")
    with open_database(f"sqlite:///{directory}/monitor.db") as database:
        TrainingRunRepository(database).append(run)


def read_process(process: psutil.Process, database: Path, started: float) -> Reading:
    """Return the present state of the daemon."""
    memory = process.memory_full_info()
    wal = Path(f"{database}-wal")
    return Reading(
        seconds=time.monotonic() - started,
        rss=memory.rss / 1e6,
        pss=memory.pss / 1e6,
        descriptors=process.num_fds(),
        threads=process.num_threads(),
        wal=wal.stat().st_size / 1e6 if wal.exists() else 0.0,
        database=database.stat().st_size / 1e6,
    )


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


def slope_per_hour(readings: Sequence[Reading], value: Callable[[Reading], float], warm_up: float) -> float:
    """Return the least-squares slope of a value per hour over the readings after the warm-up (seconds)."""
    used = [reading for reading in readings if reading.seconds >= warm_up]
    if len(used) < 2:
        return float("nan")
    hours = np.array([reading.seconds for reading in used]) / 3600
    return float(np.polyfit(hours, [value(reading) for reading in used], 1)[0])


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Run the daemon under load, print a row for each reading, and return the slopes."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        port = free_port()
        config = directory / "config.toml"
        config.write_text(CONFIG.format(directory=directory, port=port))
        prepare(directory, int(HISTORY_SECONDS / arguments.interval), arguments.interval)
        record_training(directory)
        command = [sys.executable, "-c", LAUNCHER, str(config), str(arguments.interval)]
        daemon = subprocess.Popen(command)
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
    return [
        Figure("RSS at the end", readings[-1].rss, unit="MB"),
        Figure("RSS slope", slope_per_hour(readings, lambda r: r.rss, arguments.warm_up), most=0.3, unit="MB/h"),
        Figure("PSS slope", slope_per_hour(readings, lambda r: r.pss, arguments.warm_up), most=0.3, unit="MB/h"),
        Figure("descriptors, largest", max(reading.descriptors for reading in readings)),
        Figure("threads, largest", max(reading.threads for reading in readings)),
        Figure("WAL, largest", max(reading.wal for reading in readings), most=20, unit="MB"),
        Figure("database slope", slope_per_hour(readings, lambda r: r.database, arguments.warm_up), unit="MB/h"),
    ]


def watch(process: psutil.Process, database: Path, arguments: argparse.Namespace) -> list[Reading]:
    """Read the state of the daemon every `--every` seconds, and write each reading as one row to stderr."""
    print("".join(f"{column:>10}" for column in COLUMNS), file=sys.stderr)
    started = time.monotonic()
    readings: list[Reading] = []
    while not readings or readings[-1].seconds < arguments.seconds:
        readings.append(read_process(process, database, started))
        row = "".join(f"{value:10.2f}" for value in astuple(readings[-1]))
        print(row, file=sys.stderr, flush=True)
        time.sleep(arguments.every)
    return readings


if __name__ == "__main__":
    sys.exit(
        main(
            __doc__ or "",
            measure,
            ("--seconds", 1800, "duration of the soak"),
            ("--warm-up", 600, "seconds that the slopes leave out"),
            ("--every", 10, "seconds between two readings"),
            ("--interval", 0.2, "seconds between two samples"),
            ("--scrape-interval", 0.2, "seconds between two scrapes"),
            ("--page-interval", 2.0, "seconds between two page views"),
        )
    )

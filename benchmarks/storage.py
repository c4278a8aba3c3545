"""Cost of storage compared with the bare `sqlite3` module, and of blocks with rows.

Both sides of a ratio are measured in one run. The blocks hold the synthetic history of `benchmarks.stored_history`.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import astuple
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np

from benchmarks.report import Figure, main
from benchmarks.storage_blocks import measure_blocks
from storage import SAMPLE_FIELDS, Sample, SampleRepository, open_database

T = TypeVar("T")

MONTH = 30 * 24 * 3600 // 5
TARGETS = {
    "commit_ratio": 2.0,
    "read_time_ratio": 1.5,
    "read_memory_ratio": 1.5,
    "bytes_per_row": 110.0,
    "sample_bytes": 25.0,
    "prediction_bytes": 6.0,
    "year_megabytes": 300.0,
    "blocks_all": 1.0,
    "blocks_one_field": 1.0,
    "blocks_means": 1.0,
    "blocks_maxima": 1.0,
    "step_milliseconds": 50.0,
}
LABELS = {
    "sample_row_bytes": "bytes per sample as a row of 16 columns",
    "sample_bytes": "bytes per sample in a block",
    "prediction_row_bytes": "bytes per prediction as a row",
    "prediction_bytes": "bytes per prediction in a block",
    "year_megabytes": "megabytes of a year at 5 s, samples and predictions for three horizons (extrapolated)",
    "blocks_all": "time of reading all samples from blocks over rows",
    "blocks_one_field": "time of reading one metric from blocks over rows",
    "blocks_means": "time of 720 bucket means of the samples from blocks over rows",
    "blocks_maxima": "time of 720 bucket maxima of the predictions from blocks over rows",
    "step_milliseconds": "milliseconds of one step of the compaction, 99th percentile",
    "commit_ratio": "time of a committed sample over a raw commit",
    "read_time_ratio": "time of reading 30 days over a raw np.fromiter",
    "read_memory_ratio": "peak memory of that read over its array",
    "bytes_per_row": "bytes per row of 12 columns",
}
COLUMNS = ", ".join(("host_id", "at", *SAMPLE_FIELDS))
INSERT = f"INSERT INTO samples ({COLUMNS}) VALUES ({', '.join('?' * (2 + len(SAMPLE_FIELDS)))})"  # noqa: S608
SELECT = f"SELECT at, {', '.join(SAMPLE_FIELDS)} FROM samples WHERE host_id = 1 ORDER BY at"  # noqa: S608


def random_sample(at: float, rng: random.Random) -> Sample:
    """Return a sample of a busy host without steal and pressure: 12 metrics with long fractions."""
    ratio = rng.random

    def rate() -> float:
        return rng.lognormvariate(11, 2)

    return Sample(
        at=at,
        cpu_usage=ratio(),
        cpu_iowait=ratio(),
        load_per_cpu=2 * ratio(),
        memory_usage=ratio(),
        swap_usage=ratio(),
        network_receive=rate(),
        network_transmit=rate(),
        network_errors=0.2 if ratio() < 0.01 else 0.0,
        network_usage=ratio(),
        disk_read=rate(),
        disk_write=rate(),
        disk_busy=ratio(),
    )


def raw_connection(path: Path) -> sqlite3.Connection:
    """Open the database by the bare module, with the same durability."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def seconds(action: Callable[[T], object], arguments: Iterable[T]) -> float:
    """Return the time of calling the action with each argument."""
    started = time.perf_counter()
    for argument in arguments:
        action(argument)
    return time.perf_counter() - started


def measure_commits(directory: Path, blocks: int = 21, block_size: int = 100) -> float:
    """Return the time of a stored sample over that of a raw commit, as the median of alternating blocks."""
    rng = random.Random(1)  # noqa: S311
    with open_database(f"sqlite:///{directory / 'repository.db'}") as database:
        open_database(f"sqlite:///{directory / 'raw.db'}").close()
        repository = SampleRepository(database)
        raw = raw_connection(directory / "raw.db")
        ratios = []
        for start in range(0, blocks * block_size, block_size):
            new = [random_sample(1.75e9 + 5 * (start + i), rng) for i in range(block_size)]
            rows = [(1, *astuple(sample)) for sample in new]
            raw_seconds = seconds(lambda row: raw.execute(INSERT, row), rows)
            ratios.append(seconds(repository.append, new) / raw_seconds)
        raw.close()
    return statistics.median(ratios)


def fill(repository: SampleRepository, rows: int, batch: int = 5000) -> None:
    """Store random samples at an interval of 5 s."""
    rng = random.Random(2)  # noqa: S311
    for start in range(0, rows, batch):
        repository.append_many(random_sample(1.75e9 + 5 * i, rng) for i in range(start, min(start + batch, rows)))


def raw_read(connection: sqlite3.Connection, rows: int) -> np.ndarray:
    """Read all samples by the bare module."""
    values = chain.from_iterable(connection.execute(SELECT))
    return np.fromiter(values, np.float64, count=rows * (1 + len(SAMPLE_FIELDS)))


def measure_history(directory: Path, rows: int, rounds: int = 5) -> dict[str, float]:
    """Return the size of a long history, and the cost of reading all of it."""
    path = directory / "history.db"
    with open_database(f"sqlite:///{path}") as database:
        fill(SampleRepository(database), rows)
    size = path.stat().st_size
    with open_database(f"sqlite:///{path}") as database:
        repository = SampleRepository(database)
        raw = raw_connection(path)
        ratios = []
        for _ in range(rounds):
            raw_seconds = seconds(lambda rows: raw_read(raw, rows), [rows])
            ratios.append(seconds(lambda end: repository.between(0.0, end), [1e12]) / raw_seconds)
        raw.close()
        tracemalloc.start()
        array = repository.between(0.0, 1e12)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return {
        "read_time_ratio": statistics.median(ratios),
        "read_memory_ratio": peak / array.nbytes,
        "bytes_per_row": size / rows,
    }


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Measure in a temporary directory."""
    with TemporaryDirectory() as directory:
        path = Path(directory)
        figures = {
            "commit_ratio": measure_commits(path),
            **measure_history(path, arguments.rows),
            **measure_blocks(path, arguments.days),
        }
    return [Figure(LABELS[name], value, TARGETS.get(name)) for name, value in figures.items()]


if __name__ == "__main__":
    rows = ("--rows", MONTH, "length of the history; 30 days at 5 s")
    sys.exit(main(__doc__ or "", measure, rows, ("--days", 30, "length of the history in blocks")))

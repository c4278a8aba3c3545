"""What storage costs beside the bare `sqlite3` module, both measured in the same run."""

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
from storage import SAMPLE_FIELDS, Sample, SampleRepository, open_database

T = TypeVar("T")

MONTH = 30 * 24 * 3600 // 5
TARGETS = {"commit_ratio": 2.0, "read_time_ratio": 1.5, "read_memory_ratio": 1.5, "bytes_per_row": 110.0}
NAMES = {
    "commit_ratio": "committed sample over a raw commit",
    "read_time_ratio": "reading 30 days over a raw np.fromiter",
    "read_memory_ratio": "peak memory of it over its array",
    "bytes_per_row": "bytes a row of 12 columns",
}
COLUMNS = ", ".join(("host_id", "at", *SAMPLE_FIELDS))
INSERT = f"INSERT INTO samples ({COLUMNS}) VALUES ({', '.join('?' * (2 + len(SAMPLE_FIELDS)))})"  # noqa: S608
SELECT = f"SELECT at, {', '.join(SAMPLE_FIELDS)} FROM samples WHERE host_id = 1 ORDER BY at"  # noqa: S608


def sample(at: float, rng: random.Random) -> Sample:
    """A busy host without steal and pressure figures: 12 metrics, none of them a convenient number."""
    share = rng.random

    def rate() -> float:
        return rng.lognormvariate(11, 2)

    return Sample(
        at=at,
        cpu_usage=share(),
        cpu_iowait=share(),
        load_per_cpu=2 * share(),
        memory_usage=share(),
        swap_usage=share(),
        network_receive=rate(),
        network_transmit=rate(),
        network_errors=0.2 if share() < 0.01 else 0.0,
        network_usage=share(),
        disk_read=rate(),
        disk_write=rate(),
        disk_busy=share(),
    )


def raw_connection(path: Path) -> sqlite3.Connection:
    """The bare module over the same schema, as durable as the store."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def seconds(action: Callable[[T], object], arguments: Iterable[T]) -> float:
    started = time.perf_counter()
    for argument in arguments:
        action(argument)
    return time.perf_counter() - started


def commits(directory: Path, blocks: int = 21, block: int = 100) -> float:
    """Time of a stored sample over that of a raw commit; blocks alternate so that both meet the same disk."""
    rng = random.Random(1)  # noqa: S311
    with open_database(f"sqlite:///{directory / 'store.db'}") as database:
        open_database(f"sqlite:///{directory / 'raw.db'}").close()
        store, raw = SampleRepository(database), raw_connection(directory / "raw.db")
        ratios = []
        for start in range(0, blocks * block, block):
            new = [sample(1.75e9 + 5 * (start + i), rng) for i in range(block)]
            rows = [(1, *astuple(one)) for one in new]
            bare = seconds(lambda row: raw.execute(INSERT, row), rows)
            ratios.append(seconds(store.append, new) / bare)
        raw.close()
    return statistics.median(ratios)


def fill(store: SampleRepository, rows: int) -> None:
    rng = random.Random(2)  # noqa: S311
    for start in range(0, rows, 5000):
        store.append_many(sample(1.75e9 + 5 * i, rng) for i in range(start, min(start + 5000, rows)))


def raw_read(connection: sqlite3.Connection, rows: int) -> np.ndarray:
    values = chain.from_iterable(connection.execute(SELECT))
    return np.fromiter(values, np.float64, count=rows * (1 + len(SAMPLE_FIELDS)))


def history(directory: Path, rows: int, rounds: int = 5) -> dict[str, float]:
    """Size of a long history, and the cost of reading it whole."""
    path = directory / "history.db"
    with open_database(f"sqlite:///{path}") as database:
        fill(SampleRepository(database), rows)
    size = path.stat().st_size
    with open_database(f"sqlite:///{path}") as database:
        store, raw = SampleRepository(database), raw_connection(path)
        ratios = []
        for _ in range(rounds):
            bare = seconds(lambda rows: raw_read(raw, rows), [rows])
            ratios.append(seconds(lambda end: store.between(0.0, end), [1e12]) / bare)
        raw.close()
        tracemalloc.start()
        array = store.between(0.0, 1e12)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return {
        "read_time_ratio": statistics.median(ratios),
        "read_memory_ratio": peak / array.nbytes,
        "bytes_per_row": size / rows,
    }


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """All of it, in a directory that goes away."""
    with TemporaryDirectory() as directory:
        figures = {"commit_ratio": commits(Path(directory)), **history(Path(directory), arguments.rows)}
    return [Figure(NAMES[name], value, TARGETS[name]) for name, value in figures.items()]


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", measure, ("--rows", MONTH, "length of the history, 30 days at 5 s")))

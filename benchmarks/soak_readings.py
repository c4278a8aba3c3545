"""Soak readings: state of a process and its database over time, robust slopes, and limits."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from itertools import combinations
from pathlib import Path
from statistics import median

import psutil

from benchmarks.report import Figure

MINUTE = 60.0
HOUR = 3600.0

COLUMNS = ("seconds", "RSS MB", "PSS MB", "descr.", "threads", "WAL MB", "DB MB")

MAX_RSS_SLOPE = 0.3
"""Largest slope of the RSS after the warm-up, in MB per hour."""

MAX_WAL = 20.0
"""Largest size of the write-ahead log in MB; SQLite cuts it to 16 MiB."""


@dataclass(frozen=True)
class Reading:
    """State of a process and its database: time in seconds, sizes in MB, counts."""

    seconds: float
    rss: float
    pss: float
    descriptors: float
    threads: float
    wal: float
    database: float


def read_process(process: psutil.Process, database: Path, seconds: float) -> Reading:
    """Return the present state of a process and its database, and write it as one row to stderr."""
    memory = process.memory_full_info()
    wal = Path(f"{database}-wal")
    reading = Reading(
        seconds=seconds,
        rss=memory.rss / 1e6,
        pss=memory.pss / 1e6,
        descriptors=process.num_fds(),
        threads=process.num_threads(),
        wal=wal.stat().st_size / 1e6 if wal.exists() else 0.0,
        database=database.stat().st_size / 1e6,
    )
    print("".join(f"{value:12.2f}" for value in astuple(reading)), file=sys.stderr, flush=True)
    return reading


def print_header() -> None:
    """Write the names of the columns of `read_process` to stderr."""
    print("".join(f"{column:>12}" for column in COLUMNS), file=sys.stderr)


def slope_per_hour(readings: Sequence[Reading], value: Callable[[Reading], float]) -> float:
    """Return the slope of the lowest value of each minute, per hour (Theil-Sen: median of all slopes between two).

    Minima leave out the memory of single requests; the median leaves out single steps.
    """
    lowest: dict[int, tuple[float, float]] = {}
    for reading in readings:
        point = value(reading), reading.seconds
        minute = int(reading.seconds // MINUTE)
        lowest[minute] = min(point, lowest.get(minute, point))
    slopes = [
        (second[0] - first[0]) / (second[1] - first[1]) * HOUR for first, second in combinations(lowest.values(), 2)
    ]
    return median(slopes) if slopes else float("nan")


def rise(readings: Sequence[Reading], value: Callable[[Reading], float]) -> float:
    """Return the difference between the largest values of the second and of the first half of the readings."""
    half = len(readings) // 2
    if not half:
        return float("nan")
    return max(map(value, readings[half:])) - max(map(value, readings[:half]))


def resource_figures(readings: Sequence[Reading]) -> list[Figure]:
    """Return the figures of descriptors, threads and write-ahead log, with their limits, after the warm-up."""
    return [
        Figure("RSS at the end", readings[-1].rss, unit="MB"),
        Figure("PSS at the end", readings[-1].pss, unit="MB"),
        Figure("descriptors, largest", max(reading.descriptors for reading in readings)),
        Figure("descriptors, rise", rise(readings, lambda r: r.descriptors), most=2),
        Figure("threads, largest", max(reading.threads for reading in readings)),
        # Idle threads of the bounded pools start on demand.
        Figure("threads, rise", rise(readings, lambda r: r.threads), most=3),
        Figure("WAL, largest", max(reading.wal for reading in readings), most=MAX_WAL, unit="MB"),
        Figure("WAL, rise", rise(readings, lambda r: r.wal), most=5, unit="MB"),
    ]

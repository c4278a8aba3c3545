"""Size and reading of compressed blocks compared with rows, on the history of `benchmarks.stored_history`."""

from __future__ import annotations

import shutil
import sqlite3
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.stored_history import HORIZONS, day_of_predictions, day_of_samples
from storage import COMPACTED_TABLES, Compactor, Database, PredictionRepository, SampleRepository, open_database

DAY = 86_400.0
YEAR_ROWS = 365 * 24 * 3600 // 5
START = 1.75e9 // DAY * DAY


def seconds(read: Callable[[Database], object], database: Database) -> float:
    """Return the time of one read."""
    started = time.perf_counter()
    read(database)
    return time.perf_counter() - started


def fill_both(url: str, days: int) -> None:
    """Store days of the synthetic history and its predictions."""
    rng = np.random.default_rng(3)
    with open_database(url) as database:
        for day in range(days):
            rows = day_of_samples(START + DAY * day, rng)
            SampleRepository(database).insert_missing(rows, batch=5000)
            predictions = day_of_predictions(rows[:, 0], rng)
            for start in range(0, len(predictions), 10_000):
                PredictionRepository(database).append(predictions[start : start + 10_000])


def compress(url: str) -> list[float]:
    """Compress all hours of a database, and return the seconds of each step."""
    durations = []
    with open_database(url) as database:
        for name in COMPACTED_TABLES:
            after = 0.0
            while True:
                started = time.perf_counter()
                hour = Compactor(database).compact_next(name, after, 1e12)
                if hour is None:
                    break
                durations.append(time.perf_counter() - started)
                after = hour.start + 3600
    return durations


def table_bytes(path: Path, kept: str) -> float:
    """Return the bytes per row of a table of rows or blocks, with all other tables empty."""
    size = path.with_name("size.db")
    shutil.copy(path, size)
    with closing(sqlite3.connect(size, isolation_level=None)) as connection:
        is_block = kept.endswith("_blocks")
        query = f"SELECT {'sum(row_count)' if is_block else 'count(*)'} FROM {kept}"  # noqa: S608
        (rows,) = connection.execute(query).fetchone()
        for table in ("samples", "predictions", "sample_blocks", "prediction_blocks"):
            if table != kept:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")
    return size.stat().st_size / int(rows)


def read_ratios(plain: str, compressed: str, days: int, rounds: int = 3) -> dict[str, float]:
    """Return the time of reading a history from blocks over that from rows, for each kind of read."""
    width = days * DAY / 720
    reads: dict[str, Callable[[Database], object]] = {
        "blocks_all": lambda database: SampleRepository(database).between(0.0, 1e12),
        "blocks_one_field": lambda database: SampleRepository(database).between(0.0, 1e12, ("cpu_usage",)),
        "blocks_means": lambda database: SampleRepository(database).bucket_means(START, width, 720),
        "blocks_maxima": lambda database: PredictionRepository(database).bucket_maxima(START, width, 720),
    }
    with open_database(plain) as rows, open_database(compressed) as blocks:
        ratios = {}
        for name, read in reads.items():
            measured = [seconds(read, blocks) / seconds(read, rows) for _ in range(rounds)]
            ratios[name] = statistics.median(measured)
    return ratios


def measure_blocks(directory: Path, days: int) -> dict[str, float]:
    """Return the size of rows and of blocks, and the cost of reading blocks over that of reading rows."""
    rows, blocks = directory / "rows.db", directory / "blocks.db"
    fill_both(f"sqlite:///{rows}", days)
    shutil.copy(rows, blocks)
    durations = compress(f"sqlite:///{blocks}")
    sample_bytes = table_bytes(blocks, "sample_blocks")
    prediction_bytes = table_bytes(blocks, "prediction_blocks")
    return {
        "sample_row_bytes": table_bytes(rows, "samples"),
        "sample_bytes": sample_bytes,
        "prediction_row_bytes": table_bytes(rows, "predictions"),
        "prediction_bytes": prediction_bytes,
        "year_megabytes": YEAR_ROWS * (sample_bytes + len(HORIZONS) * prediction_bytes) / 1e6,
        **read_ratios(f"sqlite:///{rows}", f"sqlite:///{blocks}", days),
        "step_milliseconds": 1000 * float(np.quantile(durations, 0.99)),
    }

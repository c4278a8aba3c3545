"""Cost of a long history: the chart of all of it.

    python -m benchmarks.long_history --days 90

The history is that of `benchmarks.stored_history`, compressed as by a daemon. Times are processor
times, the least of several runs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.report import Figure, main
from benchmarks.stored_history import STEP, day_of_predictions, day_of_samples
from model.features.labels import Rules
from monitor.documents.history import history_document
from monitor.queries.anomaly_scores import AnomalyScores
from monitor.queries.history import HistoryReader
from monitor.stores import Stores, open_stores
from storage import COMPACTED_TABLES

DAY = 86_400.0
HOUR = 3600.0
POINTS = 360
RARE = Rules(((("cpu_usage", 0.85),),), 120.0)
HOURLY = Rules(((("cpu_usage", 0.5),),), 120.0)
AGGREGATES = ("sample_aggregates", "prediction_aggregates", "replayed_prediction_aggregates")


def fill(stores: Stores, days: int, end: float) -> None:
    """Store days of samples and predictions that end at a time, and compress all but the last day."""
    rng = np.random.default_rng(3)
    after = dict.fromkeys(COMPACTED_TABLES, 0.0)
    for day in range(days):
        rows = day_of_samples(end - DAY * (days - day), rng)
        stores.samples.insert_missing(rows, batch=5000)
        predictions = day_of_predictions(rows[:, 0], rng)
        for start in range(0, len(predictions), 10_000):
            stores.predictions.append(predictions[start : start + 10_000])
        for name in COMPACTED_TABLES:
            while (hour := stores.compactor.compact_next(name, after[name], rows[-1, 0] - DAY)) is not None:
                after[name] = hour.start + HOUR


def least_seconds(action: Callable[[], object], runs: int = 3) -> float:
    """Return the least processor time of several runs of an action, in seconds."""
    durations = []
    for _ in range(runs):
        started = time.process_time()
        action()
        durations.append(time.process_time() - started)
    return min(durations)


def chart_seconds(stores: Stores, rules: Rules, days: int, end: float) -> float:
    """Return the processor time of the document of the whole history."""
    reader = HistoryReader(stores, lambda: rules, STEP)
    return least_seconds(lambda: history_document(reader.read(days * DAY, POINTS, end, AnomalyScores())))


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Measure in a temporary directory."""
    days = arguments.days
    end = time.time() // STEP * STEP
    with TemporaryDirectory() as directory:
        path = Path(directory) / "monitor.db"
        with open_stores(f"sqlite:///{path}") as stores:
            fill(stores, days, end)
            rare = chart_seconds(stores, RARE, days, end)
            hourly = chart_seconds(stores, HOURLY, days, end)
            with stores.database.writing() as connection:
                for table in AGGREGATES:
                    connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608
            blocks = chart_seconds(stores, RARE, days, end)
    return [
        Figure(f"chart of {days} d, high load rarely", rare, 0.5, "s"),
        Figure(f"chart of {days} d, high load in each hour", hourly, None, "s"),
        Figure(f"chart of {days} d, without aggregates", blocks, None, "s"),
    ]


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", measure, ("--days", 90, "days of history")))

"""How well high load is foreseen on real traces, beside what other tools would have said.

`python -m benchmarks.high_load TRACE... [--no-retrain] [--jobs N]`: for each trace (CSV as `monitor import` takes it)
the rule is 80 % of CPU if that occurs in 0.5 % of the first three fifths, else their 95th percentile, held for two
minutes; a model learns from the first four fifths and lives through the last one. Means over the traces, at all times
and at the onset (only moments at which load was not high).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

# before NumPy: a second thread of BLAS would only be in the way of the next trace
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.report import Figure, main
from model.errors import NotEnoughHistoryError
from model.features.labels import Rules
from model.training.backtest import backtest
from model.training.settings import BacktestConfig, GateConfig, Recipe
from model.training.task import Task
from monitor.config.loader import Config
from monitor.sampling.csv_traces import read_trace
from monitor.system.formatting import format_duration

HORIZONS = (300.0, 900.0, 3600.0)
SUSTAINED = 120.0
FEWEST = 10
"""Moments before high load that the last fifth of a trace must have to be marked."""


class Marks(NamedTuple):
    """One predictor on one trace."""

    average_precision: float
    skill: float
    calibration_error: float


@dataclass(frozen=True)
class Job:
    path: Path
    retrain: bool


def threshold(cpu: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    known = cpu[~np.isnan(cpu)]
    return 0.8 if np.mean(known >= 0.8) >= 0.005 else float(np.quantile(known, 0.95))


def marks(job: Job) -> dict[tuple[float, str, str], Marks]:
    """By horizon, task and predictor; empty where nothing can be marked."""
    trace, config = read_trace(job.path), Config()
    n = len(trace.times)
    cpu = trace.values[: int(n * 0.6), trace.columns.index("cpu_usage")]
    task = Task(Rules(((("cpu_usage", threshold(cpu)),),), SUSTAINED), HORIZONS)
    interval = config.training.interval if job.retrain else None
    rerun = BacktestConfig(float(trace.times[int(n * 0.8)]), interval, config.training.history, GateConfig())
    try:
        found = backtest(trace.times, trace.values, trace.columns, task, Recipe(), rerun)
    except NotEnoughHistoryError:
        return {}
    marked = {}
    for name, onset in (("all times", False), ("onset", True)):
        for i, scores in enumerate(found.scores(onset=onset)):
            rows = found.state == 0 if onset else np.ones(len(found.times), bool)
            if np.nansum(found.labels[rows, i]) >= FEWEST:
                for who, score in scores.items():
                    key = (HORIZONS[i], name, who)
                    marked[key] = Marks(score.average_precision, score.brier_skill, score.calibration_error)
    return marked


def measure(arguments: argparse.Namespace) -> list[Figure]:
    jobs = [Job(Path(path), not arguments.no_retrain) for path in arguments.traces]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        found = list(pool.map(marks, jobs))
    return list(figures(found))


def figures(found: list[dict[tuple[float, str, str], Marks]]) -> Iterator[Figure]:
    keys = dict.fromkeys(key for one in found for key in one)
    for key in sorted(keys, key=lambda key: key[:2]):
        horizon, task, who = key
        every = [one[key] for one in found if key in one]
        for what in Marks._fields:
            value = fmean(getattr(one, what) for one in every)
            name = f"{format_duration(horizon)} {task}, {who}: {what.replace('_', ' ')} over {len(every)} traces"
            yield Figure(name, value)


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("traces", nargs="+", metavar="TRACE")
    parser.add_argument("--no-retrain", action="store_true", help="train once and hold the model still")


if __name__ == "__main__":
    raise SystemExit(main("High load on real traces", measure, ("--jobs", 1, "traces at once"), more=options))

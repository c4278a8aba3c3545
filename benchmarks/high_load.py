"""Benchmark of high-load forecasts on traces, next to the baselines.

`python -m benchmarks.high_load TRACE... [--no-retrain] [--jobs N]`: traces are CSV files as for `monitor import`.
The rule is that of `high_load_bound`, from the first three fifths, sustained for two minutes. The first model is
trained on the first four fifths, and the last fifth is replayed. Figures are means over the traces, at all times and
at the onset (only samples while load is not high).

`--origins` measures rolling origins instead, without the last fifth (see `benchmarks.rolling_origins`). Use it to
choose between variants: `--origins --record FILE --reference FILE`.
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

# Set before NumPy is imported: BLAS threads would compete with the processes of other traces.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks import rolling_origins
from benchmarks.report import Figure, main
from benchmarks.rolling_origins import HORIZONS, SUSTAINED, high_load_bound
from model.errors import NotEnoughHistoryError
from model.features.labels import Rules
from model.training.backtest import backtest
from model.training.settings import BacktestConfig, GateConfig, Recipe
from model.training.task import Task
from monitor.config.loader import Config
from monitor.sampling.trace_reader import read_trace
from monitor.system.formatting import format_duration

MIN_EVENTS = 10
"""Samples followed by high load that the last fifth of a trace must have to be scored."""

Key = tuple[float, str, str]
"""Horizon in seconds, task ("all times" or "onset"), and name of the predictor."""


class Scores(NamedTuple):
    """Scores of one predictor on one trace."""

    average_precision: float
    skill: float
    calibration_error: float


@dataclass(frozen=True)
class Job:
    """Trace to replay."""

    path: Path
    retrain: bool


def replay(job: Job) -> dict[Key, Scores]:
    """Replay a trace and return the scores, empty if nothing can be scored."""
    trace = read_trace(job.path)
    config = Config()
    n = len(trace.times)
    cpu = trace.values[: int(n * 0.6), trace.columns.index("cpu_usage")]
    bound = high_load_bound(cpu)
    if bound is None:
        return {}
    task = Task(Rules(((("cpu_usage", bound),),), SUSTAINED), HORIZONS)
    schedule = BacktestConfig(
        until=float(trace.times[int(n * 0.8)]),
        interval=config.training.interval if job.retrain else None,
        history=config.training.history,
        gate=GateConfig(),
    )
    try:
        result = backtest(trace.times, trace.values, trace.columns, task, Recipe(), schedule)
    except NotEnoughHistoryError:
        return {}
    scores = {}
    for name, onset in (("all times", False), ("onset", True)):
        rows = result.state == 0 if onset else np.ones(len(result.times), bool)
        for i, by_predictor in enumerate(result.scores(onset=onset)):
            if np.nansum(result.labels[rows, i]) < MIN_EVENTS:
                continue
            for predictor, score in by_predictor.items():
                key = (HORIZONS[i], name, predictor)
                scores[key] = Scores(score.average_precision, score.brier_skill, score.calibration_error)
    return scores


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Replay all traces, or measure rolling origins."""
    if arguments.origins:
        return rolling_origins.measure(arguments)
    jobs = [Job(Path(path), not arguments.no_retrain) for path in arguments.traces]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        return list(figures(list(pool.map(replay, jobs))))


def figures(traces: list[dict[Key, Scores]]) -> Iterator[Figure]:
    """Yield the mean of each score over the traces."""
    keys = dict.fromkeys(key for scores in traces for key in scores)
    for key in sorted(keys, key=lambda key: key[:2]):
        horizon, task, predictor = key
        rows = [scores[key] for scores in traces if key in scores]
        for score in Scores._fields:
            value = fmean(getattr(row, score) for row in rows)
            label = score.replace("_", " ")
            name = f"{format_duration(horizon)} {task}, {predictor}: {label} over {len(rows)} traces"
            yield Figure(name, value)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("traces", nargs="+", metavar="TRACE")
    parser.add_argument("--no-retrain", action="store_true", help="train once, without recalibration")
    parser.add_argument("--origins", action="store_true", help="measure rolling origins, trained once each")
    rolling_origins.add_options(parser)


if __name__ == "__main__":
    title = "High load on real traces"
    raise SystemExit(main(title, measure, ("--jobs", 1, "traces replayed in parallel"), more=add_options))

"""Rolling-origin measure of high-load forecasts: train once before each origin, predict the rows after it.

`python -m benchmarks.high_load --origins` runs `measure`. Nothing is retrained or recalibrated after an origin.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.origin_records import Scores, figures, load_record, mean_over_origins, write_record
from benchmarks.report import Figure
from model.array_types import Bools, Floats
from model.errors import NotEnoughHistoryError
from model.features.dataset import typical_step
from model.features.labels import Rules, future_labels
from model.features.rolling_window import CHUNK_ROWS, RollingWindow
from model.forecast.metrics import score
from model.forecast.online.engine import OnlineEngine
from model.forecast.predictor import Predictor
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model
from model.training.pipeline import train
from model.training.promotion import decide_promotion
from model.training.settings import GateConfig, Recipe
from model.training.task import Task
from monitor.sampling.trace_reader import Trace, read_trace
from monitor.system.formatting import format_duration

ORIGINS = ((0.40, 0.52), (0.52, 0.64), (0.64, 0.80))
"""Fractions of a trace: training uses the rows before the first number, scoring the rows up to the second number."""

HORIZONS = (300.0, 900.0, 3600.0)
SUSTAINED = 120.0
MIN_EVENT_ROWS = 10
"""Smallest number of rows followed by high load, while load is not high, for a part to be scored."""

SERVED, NETWORKS = "served", "networks"
"""Predictors: what the daemon publishes after the promotion gate, and the network expert alone."""


@dataclass(frozen=True)
class Job:
    """One trace and one of ORIGINS."""

    path: Path
    origin: float
    end: float
    seed: int

    @property
    def machine(self) -> str:
        """Name of the machine: directory and file of the trace."""
        return f"{self.path.parent.name}/{self.path.name.partition('.')[0]}"


def high_load_bound(cpu: Floats) -> float | None:
    """Return the bound of the high-load rule for CPU usage (rows,) before an origin.

    It is 80 % if at least 0.5 % of the samples reach it, else their 95th percentile. None if that is less than 10
    percentage points above the median.
    """
    known = cpu[~np.isnan(cpu)]
    if np.mean(known >= 0.8) >= 0.005:
        return 0.8
    median, bound = np.quantile(known, (0.5, 0.95))
    return float(bound) if bound - median >= 0.1 else None


def timed_scores(job: Job) -> tuple[Scores, float]:
    """Return the result of `score_origin` and the CPU time in seconds."""
    started = time.process_time()
    return score_origin(job), time.process_time() - started


def score_origin(job: Job) -> Scores:
    """Train on the rows before an origin and score the rows after it; empty if nothing can be scored."""
    trace = read_trace(job.path)
    first, end = int(len(trace.times) * job.origin), int(len(trace.times) * job.end)
    bound = high_load_bound(trace.values[:first, trace.columns.index("cpu_usage")])
    if bound is None:
        return {}
    task = Task(Rules(((("cpu_usage", bound),),), SUSTAINED), HORIZONS)
    times, values = trace.times[:end], trace.values[:end]
    window = RollingWindow(trace.columns, task.rules, typical_step(times, 1.0))
    window.extend(times, values)
    y = future_labels(times, window.state, HORIZONS)
    known = times[:first, None] + np.asarray(HORIZONS) < times[first]
    base = _OnsetLabels(np.where(known, y[:first], np.nan), window.state[:first])
    scored = _OnsetLabels(y[first:], window.state[first:])
    scores: Scores = {}
    for predictor, probabilities in predictions(trace, first, end, task, job.seed).items():
        for i, horizon in enumerate(HORIZONS):
            for name in ("onset", "all times"):
                rows = scored.rows(i, name) & ~np.isnan(probabilities[:, i])
                labels = scored.y[rows, i]
                if labels.sum() >= MIN_EVENT_ROWS:
                    rate = float(base.y[base.rows(i, name), i].mean())
                    result = score(labels, probabilities[rows, i], rate)
                    numbers = [result.average_precision, result.brier_skill, result.calibration_error]
                    scores[f"{predictor}, {name}, {format_duration(horizon)}"] = numbers
    return scores


@dataclass(frozen=True)
class _OnsetLabels:
    """Labels (rows, horizons) and load state (rows,) of consecutive samples."""

    y: Floats
    state: Floats

    def rows(self, horizon: int, task: str) -> Bools:
        """Return a mask (rows,) of the samples of a task with a known label."""
        known = ~np.isnan(self.y[:, horizon])
        return np.asarray(known & (self.state == 0) if task == "onset" else known)


def predictions(trace: Trace, first: int, end: int, task: Task, seed: int) -> dict[str, Floats]:
    """Train on the rows before `first`; return the probabilities (rows, horizons) of each predictor up to `end`.

    Horizons without a model are NaN.
    """
    times, values = trace.times[:first], trace.values[:first]
    served: Predictor | None = None
    result = {}
    try:
        candidate = train(times, values, trace.columns, task, Recipe(), np.random.default_rng(seed))
    except NotEnoughHistoryError:
        pass
    else:
        result[NETWORKS] = replay(candidate.predictor, trace, first, end, networks_only=True)
        if decide_promotion(candidate, None, times, values, GateConfig()).refusal is None:
            served = candidate.predictor
    if served is None:
        step = typical_step(times, 1.0)
        pretrained = bundled_pretrained_model()
        served = bootstrap_predictor(pretrained, trace.columns, task.rules, HORIZONS, step, task.precision)
    return {SERVED: replay(served, trace, first, end), **result}


def replay(predictor: Predictor, trace: Trace, first: int, end: int, *, networks_only: bool = False) -> Floats:
    """Return the probabilities (rows, horizons) of the rows from `first` to `end`, by the online engine."""
    engine = OnlineEngine(predictor.spec, predictor)
    start = max(0, int(np.searchsorted(trace.times, trace.times[first] - predictor.spec.required_history)) - 1)
    columns = [HORIZONS.index(horizon) for horizon in predictor.horizons]
    probabilities = np.full((end - first, len(HORIZONS)), np.nan)
    borders = [*range(start, first, CHUNK_ROWS), *range(first, end, CHUNK_ROWS), end]
    for begin, stop in itertools.pairwise(borders):
        engine.advance(trace.times[None, begin:stop], trace.values[None, begin:stop])
        if begin >= first:
            forecast = engine.forecast()
            rows = slice(begin - first, stop - first)
            if networks_only:
                logits = predictor.ensemble.predict(forecast.features[0]).astype(np.float64)
                probabilities[rows, columns] = 1 / (1 + np.exp(-logits))
            else:
                probabilities[rows, columns] = forecast.probabilities[0]
    return probabilities


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Score all traces at all origins; write the record if `arguments.record` names one."""
    jobs = [Job(Path(path), *borders, arguments.seed) for path in arguments.traces for borders in ORIGINS]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(timed_scores, jobs))
    machines = mean_over_origins((job.machine, scores) for job, (scores, _) in zip(jobs, results, strict=True))
    seconds = statistics.fmean(spent for scores, spent in results if scores)
    if arguments.record:
        write_record(Path(arguments.record), arguments.description, seconds, machines)
    reference = load_record(Path(arguments.reference)) if arguments.reference else {}
    return [
        *figures(machines, reference),
        Figure("training, evaluation and prediction: CPU time per origin", seconds, unit="s"),
    ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `measure`."""
    group = parser.add_argument_group("with --origins")
    group.add_argument("--record", metavar="FILE", help="JSON file to write the scores of each machine to")
    group.add_argument("--description", default="", help="description in the record")
    group.add_argument("--reference", metavar="FILE", help="record to compare with, machine by machine")
    group.add_argument("--seed", type=int, default=0, help="seed of each training run (default 0)")

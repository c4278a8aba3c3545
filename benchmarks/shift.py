"""Benchmark of predictions after the host has changed.

`python -m benchmarks.shift [--hosts N] [--check]`: for each synthetic host a model is trained on samples every five
seconds. The half day after them is replayed as it is and with one change each: level, scale, constant or missing
metrics, another sampling interval, another number of CPUs, a reboot. High load is 80 % of CPU for two minutes.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

# Set before NumPy is imported: the trainings are small.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.report import Figure, main
from benchmarks.shifted_hosts import COLUMNS, CPU, STEP, TRAINING_SECONDS, host_samples, shifts
from model.array_types import Floats
from model.features.labels import Rules, future_labels
from model.features.load_states import SHORT_DIP
from model.forecast.metrics import average_precision, brier
from model.forecast.online import OnlineEngine
from model.forecast.predictor import Predictor
from model.training.pipeline import train
from model.training.settings import Recipe
from model.training.task import Task
from model.units import MINUTE

RULE_BOUND = 0.8
SUSTAINED = 2 * MINUTE
HORIZONS = (300.0, 900.0, 3600.0)
SCORED = 1
"""Position of the horizon whose Brier score and average precision are reported."""

CHUNK_ROWS = 4096
LOW = 0.2
"""A prediction below it contradicts high load."""

MAX_TOGGLES = 3.0
MIN_PRECISION_RATIO = 0.9


@dataclass(frozen=True)
class Result:
    """Result of one replay.

    Attributes:
        low: predictions below LOW until the last high sample of each period, short dips included.
        toggles: changes of a warning during high load per high-load period, at the worst horizon.
        periods: number of high-load periods.
        brier: Brier score.
        precision: average precision.
    """

    low: int
    toggles: float
    periods: int
    brier: float
    precision: float


def replay(predictor: Predictor, past: tuple[Floats, Floats], live: tuple[Floats, Floats]) -> Result:
    """Feed the past samples and the live ones (times, values) to an engine, and score its live predictions."""
    engine = OnlineEngine(predictor.spec, predictor, level=True)
    for times, values in chunks(past):
        engine.advance(times[None], values[None])
    parts = []
    for times, values in chunks(live):
        engine.advance(times[None], values[None])
        parts.append(engine.forecast())
    names = "probabilities", "high", "warnings", "period_start"
    p, high, warnings, start = (np.concatenate([getattr(part, name)[0] for part in parts]) for name in names)
    in_period = start > -np.inf
    times = live[0]
    exceeds = live[1][:, CPU] >= RULE_BOUND
    exceeded_at = np.maximum.accumulate(np.where(exceeds, times, -np.inf))
    next_exceeding = np.minimum.accumulate(np.where(exceeds, np.arange(len(times)), len(times) - 1)[::-1])[::-1]
    in_dip = (times - exceeded_at <= SHORT_DIP * SUSTAINED) & (start[next_exceeding] == start)
    labels = future_labels(times, high.astype(float), HORIZONS)
    y = labels[:, SCORED].astype(float)
    known = ~np.isnan(y)
    within = in_period[1:] & in_period[:-1]
    periods = int(np.sum(np.diff(in_period.astype(int), prepend=0) > 0))
    toggles = (np.diff(warnings.astype(int), axis=0) != 0)[within].sum(axis=0).max() if within.any() else 0
    return Result(
        low=int(np.sum(p[in_period & in_dip] < LOW)),
        toggles=float(toggles) / max(periods, 1),
        periods=periods,
        brier=brier(y[known], p[known, SCORED]),
        precision=average_precision(y[known], p[known, SCORED]),
    )


def chunks(samples: tuple[Floats, Floats]) -> Iterator[tuple[Floats, Floats]]:
    """Yield times and values in chunks, which bounds the memory of the features."""
    times, values = samples
    for start in range(0, len(times), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        yield times[rows], values[rows]


def results_of_host(seed: int) -> dict[str, Result]:
    """Train a model for one host, and return the result of each shift by name."""
    times, values = host_samples(seed)
    cut = int(TRAINING_SECONDS)
    past = times[: cut : int(STEP)], values[: cut : int(STEP)]
    task = Task(Rules(((("cpu_usage", RULE_BOUND),),), SUSTAINED), HORIZONS)
    predictor = train(*past, COLUMNS, task, Recipe(), np.random.default_rng(seed)).predictor
    results = {}
    for shift in shifts():
        rows = slice(cut + int(shift.gap), None, int(shift.step))
        live = times[rows], shift.change(times[rows] - times[rows][0], values[rows])
        results[shift.name] = replay(predictor, past, live)
    return results


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Measure all shifts on all hosts."""
    hosts = [results_of_host(seed) for seed in range(arguments.hosts)]
    return list(figures(hosts))


def figures(hosts: list[dict[str, Result]]) -> Iterator[Figure]:
    """Yield the figures of each shift: the worst host for contradictions, the mean for scores."""
    base = [host["unchanged"] for host in hosts]
    for shift in shifts():
        results = [host[shift.name] for host in hosts]
        ratio = fmean(result.precision / own.precision for result, own in zip(results, base, strict=True))
        periods = sum(result.periods for result in results)
        yield Figure(f"{shift.name}: high-load periods", periods, least=None if shift.rule else 1)
        yield Figure(f"{shift.name}: below {LOW:.0%} during high load", sum(r.low for r in results), most=0)
        worst = max(result.toggles for result in results)
        yield Figure(f"{shift.name}: warning toggles per high-load period", worst, most=MAX_TOGGLES)
        yield Figure(f"{shift.name}: Brier score", fmean(result.brier for result in results))
        least = None if shift.rule else MIN_PRECISION_RATIO
        yield Figure(f"{shift.name}: average precision, ratio to unchanged", ratio, least=least)


if __name__ == "__main__":
    raise SystemExit(main("Predictions after a change of the host", measure, ("--hosts", 2, "synthetic hosts")))

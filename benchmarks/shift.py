"""Benchmark of predictions after the host has changed.

`python -m benchmarks.shift [--hosts N] [--check]`: for each synthetic host a model is trained on samples every five
seconds. The half day after them is replayed as it is and with one change each: level, scale, constant or missing
metrics, another sampling interval, another number of CPUs, a reboot. High load is 80 % of CPU for two minutes.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import fmean

# Set before NumPy is imported: the trainings are small.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.report import Figure, main
from model.array_types import Floats
from model.features.labels import Rules, future_labels
from model.forecast.metrics import average_precision, brier
from model.forecast.online import OnlineEngine
from model.forecast.predictor import Predictor
from model.training.pipeline import train
from model.training.settings import Recipe
from model.training.task import Task
from model.units import DAY, HOUR, MINUTE

COLUMNS = ("cpu_usage", "memory_usage", "network_receive", "network_transmit", "disk_busy")
CPU, MEMORY, RECEIVE, TRANSMIT, DISK = range(len(COLUMNS))
RULE_BOUND = 0.8
HORIZONS = (300.0, 900.0, 3600.0)
SCORED = 1
"""Position of the horizon whose Brier score and average precision are reported."""

STEP = 5.0
TRAINING_SECONDS = 6 * DAY
LIVE_SECONDS = DAY / 2
START = 1_750_000_000.0 // DAY * DAY
CHUNK_ROWS = 4096
LOW = 0.2
"""A prediction below it contradicts high load."""

MAX_TOGGLES = 3.0
MIN_PRECISION_RATIO = 0.9

Change = Callable[[Floats, Floats], Floats]
"""From times since the change in seconds (rows,) and values (rows, columns) to changed values."""


@dataclass(frozen=True)
class Shift:
    """Change of a host after the training.

    Attributes:
        name: for the report.
        change: of the values.
        step: seconds between live samples.
        rule: True if a metric of the high-load rule changes, and with it the outcomes.
        gap: seconds without samples at the start.
    """

    name: str
    change: Change
    step: float = STEP
    rule: bool = False
    gap: float = 0.0


@dataclass(frozen=True)
class Result:
    """Result of one replay.

    Attributes:
        low: predictions below LOW during high load, of all horizons.
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


def unchanged(_: Floats, values: Floats) -> Floats:
    """Return the values as they are."""
    return values


def column(position: int, change: Callable[[Floats], Floats]) -> Change:
    """Return a change of one column (rows,)."""

    def apply(_: Floats, values: Floats) -> Floats:
        changed = values.copy()
        changed[:, position] = change(values[:, position])
        return changed

    return apply


def level(position: int, difference: float) -> Change:
    """Return a change of the level of a ratio."""
    return column(position, lambda x: np.clip(x + difference, 0, 1))


def scale(position: int, factor: float, most: float = np.inf) -> Change:
    """Return a change of the scale of a metric, which stays at most `most`."""
    return column(position, lambda x: np.minimum(x * factor, most))


def reboot(elapsed: Floats, values: Floats) -> Floats:
    """Return the values after a reboot: two busy minutes, memory that fills within hours, no network at first."""
    changed = values.copy()
    changed[elapsed < 2 * MINUTE, CPU] = 0.97
    changed[:, MEMORY] = np.minimum(values[:, MEMORY], 0.06 + 0.5 * elapsed / (8 * HOUR))
    changed[elapsed < 2 * MINUTE, RECEIVE : TRANSMIT + 1] = 0
    return changed


def shifts() -> Iterator[Shift]:
    """Yield all shifts; the first one changes nothing."""
    yield Shift("unchanged", unchanged)
    for position, amount in ((MEMORY, 0.4), (DISK, 0.3)):
        yield Shift(f"{COLUMNS[position]} higher", level(position, amount))
        yield Shift(f"{COLUMNS[position]} lower", level(position, -amount))
    for position in (RECEIVE, TRANSMIT):
        yield Shift(f"{COLUMNS[position]} x 10", scale(position, 10))
        yield Shift(f"{COLUMNS[position]} / 10", scale(position, 0.1))
    for position in range(1, len(COLUMNS)):
        yield Shift(f"{COLUMNS[position]} constant", column(position, lambda x: np.full(len(x), x[0])))
        yield Shift(f"{COLUMNS[position]} missing", column(position, lambda x: np.full(len(x), np.nan)))
    yield Shift("cpu_usage higher", level(CPU, 0.1), rule=True)
    yield Shift("cpu_usage lower", level(CPU, -0.1), rule=True)
    yield Shift("half as many CPUs", scale(CPU, 2, most=1.0), rule=True)
    yield Shift("more CPUs", scale(CPU, 0.88), rule=True)
    yield Shift("sampling every 1 s", unchanged, step=1.0)
    yield Shift("sampling every 60 s", unchanged, step=60.0)
    yield Shift("reboot", reboot, rule=True, gap=3 * MINUTE)


def host_samples(seed: int) -> tuple[Floats, Floats]:
    """Return times (rows,) every second of the training and after it, and values (rows, columns), of one host.

    Batch jobs of 10 to 40 minutes start every few hours. Some ten minutes before each of them network traffic rises,
    and the load a little.
    """
    rng = np.random.default_rng(seed)
    times = START + np.arange(0, TRAINING_SECONDS + LIVE_SECONDS)
    n = len(times)
    busy = np.zeros(n)
    ahead = np.zeros(n)
    start = 2 * HOUR
    while start < n:
        length = rng.uniform(10, 40) * MINUTE
        busy[int(start) : int(start + length)] = 1
        ahead[int(start - rng.uniform(5, 15) * MINUTE) : int(start + length)] = 1
        start += length + rng.uniform(1, 4) * HOUR
    slow = np.repeat(rng.normal(size=n // 60 + 1), 60)[:n]
    hour = times % DAY / HOUR
    cpu = 0.3 + 0.1 * np.sin(hour / 12 * np.pi) + 0.1 * ahead + 0.52 * busy + 0.02 * slow + rng.normal(0, 0.03, n)
    memory = 0.54 + 0.02 * np.sin(hour / 12 * np.pi) + 0.004 * slow
    receive = np.exp(11 + 1.2 * ahead + 0.3 * rng.normal(size=n))
    transmit = np.exp(10 + 0.6 * busy + 0.3 * rng.normal(size=n))
    disk = 0.35 + 0.2 * busy + 0.05 * slow + rng.normal(0, 0.02, n)
    values = np.column_stack([np.clip(cpu, 0, 1), memory, receive, transmit, np.clip(disk, 0, 1)])
    return times, values


def replay(predictor: Predictor, past: tuple[Floats, Floats], live: tuple[Floats, Floats]) -> Result:
    """Feed the past samples and the live ones (times, values) to an engine, and score its live predictions."""
    engine = OnlineEngine(predictor.spec, predictor)
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
    labels = future_labels(times, high.astype(float), HORIZONS)
    y = labels[:, SCORED].astype(float)
    known = ~np.isnan(y)
    within = in_period[1:] & in_period[:-1]
    periods = int(np.sum(np.diff(in_period.astype(int), prepend=0) > 0))
    toggles = (np.diff(warnings.astype(int), axis=0) != 0)[within].sum(axis=0).max() if within.any() else 0
    return Result(
        low=int(np.sum(p[in_period] < LOW)),
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
    task = Task(Rules(((("cpu_usage", RULE_BOUND),),), 2 * MINUTE), HORIZONS)
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

"""Usage series for `benchmarks.capacity`: synthetic file systems, and memory of real machines."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np

from model.array_types import Floats
from model.units import DAY, HOUR

STEP = 300.0
"""Seconds between two values."""

CLEANED_AT = 0.97
"""Use at which an operator begins to free space."""

Rng = np.random.Generator
Growth = Callable[[Rng, Floats], Floats]


def linear(rng: Rng, times: Floats) -> Floats:
    """Steady growth of 1 to 12 % per day with noise."""
    rate = rng.uniform(0.01, 0.12) / DAY
    return rate * STEP * np.maximum(0, 1 + rng.normal(0, 1.5, len(times)))


def working_hours(rng: Rng, times: Floats) -> Floats:
    """Growth between 8 and 18 o'clock only."""
    hour = times % DAY / HOUR
    rate = rng.uniform(0.02, 0.15) / (10 * HOUR)
    return np.where((hour > 8) & (hour < 18), rate * STEP * rng.uniform(0.2, 1.8, len(times)), 0.0)


def rotation(rng: Rng, times: Floats) -> Floats:
    """Daily log rotation: growth during the day, most of which is freed at one time."""
    day = rng.uniform(0.05, 0.35)
    steps = np.full(len(times), day * STEP / DAY) * rng.uniform(0.3, 1.7, len(times))
    freed = rng.uniform(0.95, 1.0)
    at = rng.integers(0, round(DAY / STEP))
    per_day = round(DAY / STEP)
    for end in range(at, len(times), per_day):
        steps[end] -= freed * steps[max(0, end - per_day) : end].sum()
    return steps


def backups(rng: Rng, times: Floats) -> Floats:
    """Backups: a large copy at the same time each day or week, deleted hours later."""
    size = rng.uniform(0.05, 0.3)
    every = round(rng.choice([DAY, 7 * DAY]) / STEP)
    kept = round(rng.uniform(2, 20) * HOUR / STEP)
    steps = rng.normal(0, 2e-5, len(times))
    for start in range(int(rng.integers(0, every)), len(times), every):
        copied = size * rng.uniform(0.7, 1.3)
        steps[start : start + 6] += copied / 6
        if start + kept < len(times):
            steps[start + kept] -= copied
    return steps


def runaway(rng: Rng, times: Floats) -> Floats:
    """Quiet use, and now and then a process that writes without end until it is stopped."""
    steps = rng.normal(0, 1e-4, len(times)) + rng.uniform(0, 0.01) * STEP / DAY
    for start in rng.integers(0, len(times), rng.integers(2, 6)):
        length = round(rng.uniform(1, 30) * HOUR / STEP)
        growth = rng.uniform(0.05, 0.9)
        steps[start : start + length] += growth / length
        end = start + length + round(rng.uniform(1, 24) * HOUR / STEP)
        if end < len(times):
            steps[end] -= growth
    return steps


def bursts(rng: Rng, times: Floats) -> Floats:
    """Temporary files of random size and duration."""
    steps = np.zeros(len(times))
    rate = rng.uniform(0.5, 8) * STEP / DAY
    for start in np.flatnonzero(rng.random(len(times)) < rate):
        size = rng.pareto(2.0) * 0.02
        end = start + 1 + int(rng.exponential(6 * HOUR / STEP))
        steps[start] += size
        if end < len(times):
            steps[end] -= size
    return steps


def shrinking(rng: Rng, times: Floats) -> Floats:
    """Slow decrease with noise."""
    return rng.normal(0, 3e-4, len(times)) - rng.uniform(0.002, 0.02) * STEP / DAY


def wandering(rng: Rng, times: Floats) -> Floats:
    """Random walk, as of a database with deletions."""
    return rng.normal(0, rng.uniform(0.0005, 0.003), len(times)) + rng.uniform(-0.01, 0.02) * STEP / DAY


KINDS: tuple[Growth, ...] = (linear, working_hours, rotation, backups, runaway, bursts, shrinking, wandering)


def filesystem(kind: Growth, seed: int, days: int = 42) -> Floats:
    """Return the use (n,) of a file system of size 1, every STEP seconds; space is freed some hours after it is full.

    A full file system takes no more data, and freeing stops at 2 %.
    """
    rng = np.random.default_rng((KINDS.index(kind), seed))
    times = np.arange(round(days * DAY / STEP)) * STEP
    steps = kind(rng, times) + (rng.normal(0, 5e-5, len(times)) if rng.random() < 0.5 else 0.0)
    used = np.empty(len(times))
    level = rng.uniform(0.3, 0.9)
    full_for = 0.0
    patience = rng.uniform(1, 30) * HOUR
    for i, step in enumerate(steps):
        level = min(1.0, max(0.02, level + step))
        full_for = full_for + STEP if level >= CLEANED_AT else 0.0
        if full_for > patience:
            level *= rng.uniform(0.5, 0.85)
        used[i] = level
    return used


def memory_of(path: Path, step: float = STEP) -> tuple[Floats, Floats, Floats]:
    """Return times, mean and largest memory use of a trace file in buckets of `step` seconds, each (rows,)."""
    with gzip.open(path, "rt") as file:
        rows = [
            (float(row["timestamp"]), float(row["memory_usage"]))
            for row in csv.DictReader(file)
            if row["memory_usage"]
        ]
    times, values = np.array(rows).T
    slots = np.floor(times / step).astype(np.int64)
    starts = np.flatnonzero(np.diff(slots, prepend=slots[0] - 1))
    last = np.append(starts[1:], len(slots)) - 1
    return (slots[starts] + 1) * step, values[last], np.maximum.reduceat(values, starts)

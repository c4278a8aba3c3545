"""Labelled series, and what an operator feels of a detector on them: events found, minutes waited, false alarms.

Series are CSV (gzip by ending) with a column `part` (train or test), metrics, and `label` (1 within an event).
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from model.anomaly.tails import fit_block_maxima
from model.anomaly.thresholds import SLOT_SECONDS, SLOTS_PER_BLOCK
from model.array_types import Bools, Floats, Integers
from model.units import DAY, HOUR
from monitor.config.durations import parse_duration


@dataclass(frozen=True)
class Series:
    """One host: rows to learn from, rows to be judged on, and whether each of those lies within an event."""

    group: str
    name: str
    step: float
    train: Floats
    test: Floats
    label: Bools

    @property
    def events(self) -> list[tuple[int, int]]:
        """First and last row of each."""
        return _stretches(self.label)


def read(where: Sequence[str]) -> list[Series]:
    """The series of folders or files written PATH@STEP, with the time between two rows (as 60s or 5m)."""
    found = []
    for one in where:
        path, _, step = one.rpartition("@")
        if not path:
            raise SystemExit(f"{one}: write PATH@STEP, as series/smd@60s")
        files = sorted(Path(path).glob("*.csv*")) if Path(path).is_dir() else [Path(path)]
        found += [_read(file, parse_duration(step)) for file in files]
    return [series for series in found if series.label.any() and not series.label.all()]


def _read(path: Path, step: float) -> Series:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        lines = csv.reader(file)
        header = next(lines)
        rows = list(lines)
    metrics = [i for i, name in enumerate(header) if name not in {"part", "label"}]
    values = np.nan_to_num(np.array([[float(row[i] or "nan") for i in metrics] for row in rows]))
    train = np.array([row[header.index("part")] == "train" for row in rows])
    label = np.array([float(row[header.index("label")] or 0) > 0 for row in rows])
    return Series(path.parent.name, path.name.split(".csv")[0], step, values[train], values[~train], label[~train])


def _stretches(flags: Bools, gap: int = 0) -> list[tuple[int, int]]:
    """First and last row of each run of true ones, those no more than `gap` rows apart as one."""
    rows = np.flatnonzero(flags)
    if not len(rows):
        return []
    breaks = np.flatnonzero(np.diff(rows) > gap + 1)
    return list(
        zip(rows[np.append(0, breaks + 1)].tolist(), rows[np.append(breaks, len(rows) - 1)].tolist(), strict=True)
    )


@dataclass
class Felt:
    """What alarms were worth, over several series."""

    events: int = 0
    found: int = 0
    false_alarms: int = 0
    months: float = 0.0
    waited: list[float] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Share of events found."""
        return self.found / max(self.events, 1)

    @property
    def monthly(self) -> float:
        """False alarms a month of 30 days in which nothing happened."""
        return self.false_alarms / max(self.months, 1e-9)

    def add(self, series: Series, alarms: Bools) -> None:
        """Takes in a series and its alarms (rows,).

        An event is found by an alarm within it or 15 minutes (3 rows) after it. Alarms less than an hour apart are
        one; one that lies entirely outside of an hour before to six hours after any event is false.
        """
        step, n = series.step, len(alarms)
        near, late = np.zeros(n, bool), max(3, int(900 / step))
        for first, last in series.events:
            near[max(0, first - int(HOUR / step)) : last + int(6 * HOUR / step) + 1] = True
            rows = np.flatnonzero(alarms[first : last + late + 1])
            self.events += 1
            if len(rows):
                self.found += 1
                self.waited.append(float(rows[0]) * step / 60)
        self.false_alarms += sum(not near[a : b + 1].any() for a, b in _stretches(alarms, int(HOUR / step)))
        self.months += float((~near).sum()) * step / (30 * DAY)


def alarms_by_peaks(past: Floats, scores: Floats, step: float, monthly: float) -> Bools:
    """Alarms (rows,) of scores by a threshold renewed every day from the six-hour peaks of the last 30 days.

    Args:
        past: (rows,) scores of what was learned from.
        scores: (rows,) that come right after.
        step: seconds between rows.
        monthly: false alarms that are allowed.
    """
    every, day = round(SLOTS_PER_BLOCK * SLOT_SECONDS / step), round(DAY / step)
    whole = np.concatenate((past, scores))
    low = whole.min()
    found = np.zeros(len(scores), bool)
    for start in range(len(past), len(whole), day):
        late = whole[max(0, start - 30 * day) : start]
        late = late[len(late) % every :] - low if len(late) >= every else late - low
        peaks = late.reshape(-1, every).max(axis=1) if len(late) >= every else late.max(keepdims=True)
        tail = fit_block_maxima(peaks)
        threshold = 1.5 * peaks.max() if tail is None else tail.reached(monthly / 120)
        found[start - len(past) : start - len(past) + day] = whole[start : start + day] - low > threshold
    return found


KINDS = (
    "+3 sd for 6 h",
    "noise of 1.5 sd for 6 h",
    "one row at +10 sd",
    "one metric stuck for 6 h",
    "all stuck for 6 h",
)
"""Faults that are planted."""


def plan(series: Series, rng: np.random.Generator) -> Integers:
    """Rows at which faults may begin: 36 hours apart, with no event within 12 hours."""
    six, hour, pad = (int(hours * HOUR / series.step) for hours in (6, 1, 12))
    near = np.zeros(len(series.test), bool)
    for first, last in series.events:
        near[max(0, first - pad) : last + pad + 1] = True
    found, at = [], 3 * hour
    while at + six + hour < len(near):
        if near[at : at + six + hour].any():
            at += hour
            continue
        found.append(at)
        at += int(36 * HOUR / series.step) + int(rng.integers(0, six))
    return np.array(found, dtype=np.int64)


def faults(series: Series, at: int, rng: np.random.Generator) -> Iterator[tuple[str, Floats]]:
    """Each kind with the rows (rows, metrics) from `at` on, until it must have been found."""
    six = int(6 * HOUR / series.step)
    deviation = series.train.std(axis=0)
    living = np.flatnonzero(deviation > 1e-9)
    for kind in KINDS:
        metric = int(rng.choice(living))
        rows = int(HOUR / series.step) if kind == KINDS[2] else six + int(900 / series.step)
        x = series.test[at : at + rows].copy()
        if kind == KINDS[0]:
            x[:six, metric] += 3 * deviation[metric]
        elif kind == KINDS[1]:
            x[:six, metric] += rng.normal(0, 1.5 * deviation[metric], min(six, len(x)))
        elif kind == KINDS[2]:
            x[0, metric] += 10 * deviation[metric]
        elif kind == KINDS[3]:
            x[:six, metric] = x[0, metric]
        else:
            x[:six] = x[0]
        yield kind, x

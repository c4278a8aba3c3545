"""Labelled series: reading, event scorecard, alarm thresholds for peers, and injected faults.

Series are CSV (gzip by file ending) with a column `part` (train or test), metrics, and `label` (1 within an event).
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from model.anomaly.block_maxima import BLOCKS_PER_MONTH, SLOT_SECONDS, SLOTS_PER_BLOCK
from model.anomaly.scoring.tails import fit_block_maxima
from model.array_types import Bools, Floats, Integers
from model.units import DAY, HOUR, MINUTE
from monitor.config.durations import parse_duration

FAULTS = (
    "+3 sd for 6 h",
    "noise of 1.5 sd for 6 h",
    "one row at +10 sd",
    "flatline of one metric for 6 h",
    "flatline of all metrics for 6 h",
)
"""Kinds of injected faults."""

FAULT_LENGTH = 6 * HOUR

DETECTION_DELAY = 15 * MINUTE
"""Seconds after an event (at least three rows) in which an alarm still counts as its detection."""


@dataclass(frozen=True)
class Series:
    """Rows of one labelled host.

    Attributes:
        group: name of the data set.
        name: name of the host.
        step: seconds between rows.
        train: (rows, metrics) to fit on, without labels.
        test: (rows, metrics) to score.
        label: (rows of `test`,) True within an event.
    """

    group: str
    name: str
    step: float
    train: Floats
    test: Floats
    label: Bools

    @property
    def events(self) -> list[tuple[int, int]]:
        """First and last row of each event."""
        return _runs(self.label)

    def rows(self, seconds: float) -> int:
        """Return the number of whole rows in a duration."""
        return int(seconds / self.step)


def read_series(sources: Sequence[str]) -> list[Series]:
    """Read the series that have both normal rows and events.

    Args:
        sources: files or directories written as PATH@STEP, with the time between two rows (60s, 5m).
    """
    series = []
    for source in sources:
        path, _, step = source.rpartition("@")
        if not path:
            raise SystemExit(f"{source}: write PATH@STEP, as series/smd@60s")
        files = sorted(Path(path).glob("*.csv*")) if Path(path).is_dir() else [Path(path)]
        series += [_read_file(file, parse_duration(step)) for file in files]
    return [host for host in series if host.label.any() and not host.label.all()]


def _read_file(path: Path, step: float) -> Series:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        lines = csv.reader(file)
        header = next(lines)
        rows = list(lines)
    metrics = [i for i, name in enumerate(header) if name not in {"part", "label"}]
    values = np.nan_to_num(np.array([[float(row[i] or "nan") for i in metrics] for row in rows]))
    is_train = np.array([row[header.index("part")] == "train" for row in rows])
    label = np.array([float(row[header.index("label")] or 0) > 0 for row in rows])
    return Series(
        group=path.parent.name,
        name=path.name.split(".csv")[0],
        step=step,
        train=values[is_train],
        test=values[~is_train],
        label=label[~is_train],
    )


def _runs(flags: Bools, gap: int = 0) -> list[tuple[int, int]]:
    """Return the first and last row of each run of True; runs at most `gap` rows apart are joined."""
    rows = np.flatnonzero(flags)
    if not len(rows):
        return []
    breaks = np.flatnonzero(np.diff(rows) > gap + 1)
    first = rows[np.append(0, breaks + 1)]
    last = rows[np.append(breaks, len(rows) - 1)]
    return list(zip(first.tolist(), last.tolist(), strict=True))


@dataclass
class EventScorecard:
    """Detected events and false alarms of a detector over several series."""

    events: int = 0
    detected: int = 0
    false_alarms: int = 0
    months: float = 0.0
    delays: list[float] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Share of the events that were detected."""
        return self.detected / max(self.events, 1)

    @property
    def false_alarms_per_month(self) -> float:
        """False alarms per 30 days without events."""
        return self.false_alarms / max(self.months, 1e-9)

    @property
    def median_delay(self) -> float:
        """Median minutes from the start of a detected event to its first alarm; NaN without any."""
        return float(np.median(self.delays)) if self.delays else float("nan")

    def add_series(self, series: Series, alarms: Bools) -> None:
        """Add the alarms (rows,) of a series.

        An event is detected by an alarm within it or DETECTION_DELAY after it. Alarms less than an hour apart count
        as one. An alarm is false if it lies entirely outside of the time from an hour before to six hours after an
        event.
        """
        near_event = np.zeros(len(alarms), bool)
        late_rows = max(3, series.rows(DETECTION_DELAY))
        for first, last in series.events:
            near_event[max(0, first - series.rows(HOUR)) : last + series.rows(6 * HOUR) + 1] = True
            rows = np.flatnonzero(alarms[first : last + late_rows + 1])
            self.events += 1
            if len(rows):
                self.detected += 1
                self.delays.append(float(rows[0]) * series.step / MINUTE)
        runs = _runs(alarms, series.rows(HOUR))
        self.false_alarms += sum(not near_event[first : last + 1].any() for first, last in runs)
        self.months += float((~near_event).sum()) * series.step / (30 * DAY)

    def add_scorecard(self, other: EventScorecard) -> None:
        """Add the counts of another scorecard."""
        self.events += other.events
        self.detected += other.detected
        self.false_alarms += other.false_alarms
        self.months += other.months
        self.delays += other.delays


def alarms_by_block_maxima(past: Floats, scores: Floats, step: float, false_alarms_per_month: float) -> Bools:
    """Compare scores with a threshold that is fitted each day on the block maxima of the last 30 days.

    Args:
        past: (rows,) scores of the training rows.
        scores: (rows,) scores of the rows right after them.
        step: seconds between rows.
        false_alarms_per_month: false-alarm budget.

    Returns:
        (rows,) alarms of `scores`.
    """
    rows_per_block = round(SLOTS_PER_BLOCK * SLOT_SECONDS / step)
    rows_per_day = round(DAY / step)
    series = np.concatenate((past, scores)) - min(past.min(), scores.min())
    alarms = np.zeros(len(scores), bool)
    for start in range(len(past), len(series), rows_per_day):
        recent = series[max(0, start - 30 * rows_per_day) : start]
        if len(recent) >= rows_per_block:
            maxima = recent[len(recent) % rows_per_block :].reshape(-1, rows_per_block).max(axis=1)
        else:
            maxima = recent.max(keepdims=True)
        tail = fit_block_maxima(maxima)
        rate = false_alarms_per_month / BLOCKS_PER_MONTH
        threshold = 1.5 * maxima.max() if tail is None else tail.return_level(rate)
        day = slice(start - len(past), start - len(past) + rows_per_day)
        alarms[day] = series[start : start + rows_per_day] > threshold
    return alarms


def fault_rows(series: Series, rng: np.random.Generator) -> Integers:
    """Return rows (n,) for injected faults: 36 hours apart, with no event within 12 hours."""
    hour = series.rows(HOUR)
    length = series.rows(FAULT_LENGTH)
    margin = series.rows(12 * HOUR)
    near_event = np.zeros(len(series.test), bool)
    for first, last in series.events:
        near_event[max(0, first - margin) : last + margin + 1] = True
    rows = []
    row = 3 * hour
    while row + length + hour < len(near_event):
        if near_event[row : row + length + hour].any():
            row += hour
            continue
        rows.append(row)
        row += series.rows(36 * HOUR) + int(rng.integers(0, length))
    return np.array(rows, dtype=np.int64)


def inject_faults(series: Series, start: int, rng: np.random.Generator) -> Iterator[tuple[str, Floats]]:
    """Iterate over the kinds of faults with the rows (rows, metrics) from `start` on that must contain an alarm."""
    length = series.rows(FAULT_LENGTH)
    deviation = series.train.std(axis=0)
    varying = np.flatnonzero(deviation > 1e-9)
    shift, noise, spike, flatline, _ = FAULTS
    for kind in FAULTS:
        metric = int(rng.choice(varying))
        rows = series.rows(HOUR) if kind == spike else length + series.rows(DETECTION_DELAY)
        x = series.test[start : start + rows].copy()
        if kind == shift:
            x[:length, metric] += 3 * deviation[metric]
        elif kind == noise:
            x[:length, metric] += rng.normal(0, 1.5 * deviation[metric], min(length, len(x)))
        elif kind == spike:
            x[0, metric] += 10 * deviation[metric]
        elif kind == flatline:
            x[:length, metric] = x[0, metric]
        else:
            x[:length] = x[0]
        yield kind, x

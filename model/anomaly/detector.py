"""A detector learned from one host's own past, whatever its metrics are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.anomaly.flatline import Runs, fit_runs
from model.anomaly.forecaster import REACH, Forecaster, fit_forecaster
from model.anomaly.mahalanobis import Level, fit_level
from model.anomaly.resampling import resample
from model.anomaly.scoring import Constants, Evidence
from model.anomaly.tails import fit_tails
from model.anomaly.thresholds import SLOT_SECONDS
from model.array_types import Bools, Floats, Integers
from model.errors import NotEnoughHistoryError

SCORE_PARTS = ("joint", "spike", "overall")
"""Kinds of evidence whose peaks are kept: the first two raise alarms, the third makes the score."""

FARTHEST = 10.0
"""Standard deviations from the mean beyond which nothing more is told."""

CUT = (0.001, 0.999)
"""Quantiles outside of which a past may hold anything: mean and deviation are taken of what lies half a width
around.
"""

FLOOR = 0.05
"""Errors are never measured in less than this share of a deviation."""

NORMAL = 2.6
"""The 99th percentile of the absolute value of a standard normal variable, about."""

POWERS = 100.0
"""A metric that comes so many times over its median (and over 1) is a rate that spans powers of ten."""

ONLY_ONE = 1e-9
"""A metric that varies by a smaller share of its size is constant, and has nothing to say."""

SHARE = 0.2
"""A metric that was there in a smaller share of the rows is not known yet: its first hours would be news forever."""

HOLE = 2
"""A metric missing for more rows than this has to be seen for a while before it is heard again."""


@dataclass(frozen=True)
class Detector:
    """What is known of a host: its metrics, what is usual of them, and how much evidence there has been.

    `columns` are the metrics of the rows it is given, `heard` (columns,) which of them vary; `logarithmic` (heard,)
    enter as log(1 + x); `mean` and `deviation` (heard,). `slots` (n,) and `peaks` (n, channels) are the largest
    evidence of each half hour of its own past, by what was learned from the rest of it.
    """

    columns: tuple[str, ...]
    step: float
    heard: Bools
    logarithmic: Bools
    mean: Floats
    deviation: Floats
    forecaster: Forecaster
    level: Level
    constants: Constants
    runs: Runs
    slots: Integers
    peaks: Floats

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of those that are heard."""
        return tuple(name for name, heard in zip(self.columns, self.heard, strict=True) if heard)

    def scaled(self, values: Floats) -> tuple[Floats, Floats]:
        """(rows, columns) to what is heard of them, (rows, metrics), plain and standardised; NaN where missing."""
        x = _entered(values[:, self.heard], self.logarithmic)
        z = (x - self.mean) / self.deviation
        return x, np.minimum(np.maximum(z, -FARTHEST), FARTHEST)


def settled(known: Bools, longest: int = REACH) -> Bools:
    """(rows, metrics) where a metric is there, and has been for `longest` rows without a hole worth the name."""
    found = np.zeros(known.shape, bool)
    for j, column in enumerate(known.T):
        there = np.flatnonzero(column)
        begins = np.diff(there, prepend=-HOLE - 2) > HOLE + 1
        since = np.arange(len(there)) - np.maximum.accumulate(np.where(begins, np.arange(len(there)), 0))
        found[there[since >= longest], j] = True
    return found


def carried(z: Floats) -> Floats:
    """(rows, metrics) with each hole filled by what was before it, 0 at the beginning."""
    known = ~np.isnan(z)
    last = np.maximum.accumulate(np.where(known, np.arange(len(z))[:, None], -1), axis=0)
    return np.where(last >= 0, np.take_along_axis(z, np.maximum(last, 0), axis=0), 0.0)


def fit_detector(times: Floats, values: Floats, columns: Sequence[str], step: float) -> Detector:
    """Learns a detector; what the past holds of anomalies it has to bear.

    Args:
        times: (samples,) seconds, increasing.
        values: (samples, columns), NaN where missing or not to be learned from.
        columns: names.
        step: seconds of a row, see `row_interval`.

    Raises:
        NotEnoughHistoryError: nothing varies, or too little of it was watched.
    """
    times, values = resample(times, values, step)
    heard = _varying(values)
    if len(times) < 4 * REACH or not heard.any():
        raise NotEnoughHistoryError("no metric varies in the history, or too little of it was watched")
    usual = _Usual(values, heard)
    x = _entered(values[:, usual.heard], usual.logarithmic)
    z: Floats = np.clip((x - usual.mean) / usual.deviation, -FARTHEST, FARTHEST)
    known = settled(~np.isnan(z))
    usable = np.asarray(known.any(axis=1))
    z = carried(z)
    if usable.sum() < 4 * REACH:
        raise NotEnoughHistoryError("too little of the history was watched without a hole")
    forecaster, errors = fit_forecaster(z, usable)
    level, distance = fit_level(z, usable)
    both = np.concatenate((known, known), axis=1)
    evidence = Evidence(len(usual.mean), step)
    scales = _scales(errors, both)
    squared = evidence.squared(errors, both, scales)
    means = evidence.means(squared, both, distance, usable)
    singles = evidence.singles(squared, both)
    constants = Constants(
        scales,
        np.maximum(np.quantile(means[usable], 0.99, axis=0), 1e-3),
        fit_tails(singles, np.concatenate((known, known, known), axis=1)),
    )
    found = evidence.found(means, singles, known, constants)
    slots, peaks = _peaks(times, np.stack([found.joint, found.spike, found.overall], axis=1), usable)
    return Detector(
        tuple(columns),
        step,
        usual.heard,
        usual.logarithmic,
        usual.mean,
        usual.deviation,
        forecaster,
        level,
        constants,
        fit_runs(x, 1e-9 * usual.deviation),
        slots,
        peaks,
    )


def _varying(values: Floats) -> Bools:
    """(columns,) which of them are not constant, and have been there for long enough to be known."""
    known = ~np.isnan(values)
    low = np.where(known, values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, values, -np.inf).max(axis=0, initial=-np.inf)
    watched = np.maximum(known.any(axis=1).sum(), 1)
    return np.asarray((high - low > ONLY_ONE * np.maximum(np.abs(high), 1.0)) & (known.sum(axis=0) > SHARE * watched))


class _Usual:
    """What a past is like, whatever else it holds: the means and deviations of columns that vary."""

    def __init__(self, values: Floats, heard: Bools) -> None:
        self.heard = heard
        x = values[:, self.heard]
        middle, top = np.nanquantile(x, (0.5, CUT[1]), axis=0)
        self.logarithmic: Bools = (top > POWERS * np.maximum(middle, 1.0)) & (np.nanmin(x, axis=0, initial=0.0) >= 0)
        x = _entered(x, self.logarithmic)
        low, high = np.nanquantile(x, CUT, axis=0)
        around = (high - low) / 2
        cut = np.clip(x, low - around, high + around)
        self.mean: Floats = np.nanmean(cut, axis=0)
        self.deviation: Floats = np.maximum(np.nanstd(cut, axis=0), 0.1 * np.nanstd(x, axis=0))


def _entered(x: Floats, logarithmic: Bools) -> Floats:
    """What is looked at: rates and sizes by their logarithm, for they span many powers of ten."""
    if not logarithmic.any():
        return x
    found = x.copy()
    found[:, logarithmic] = np.log1p(np.maximum(found[:, logarithmic], 0.0))
    return found


def _scales(errors: Floats, known: Bools) -> Floats:
    """(2 * metrics,) what errors are measured in: between their deviation and what their tail would have it be."""
    found = np.full(errors.shape[1], FLOOR)
    for j in range(errors.shape[1]):
        seen = errors[known[:, j], j]
        if len(seen):
            found[j] = max(FLOOR, np.sqrt(max(seen.std(), 1e-9) * np.quantile(np.abs(seen), 0.99) / NORMAL))
    return found


def _peaks(times: Floats, found: Floats, usable: Bools) -> tuple[Integers, Floats]:
    """The largest by half hours since the epoch."""
    slots = (times[usable] // SLOT_SECONDS).astype(np.int64)
    starts = np.flatnonzero(np.diff(slots, prepend=slots[0] - 1))
    return slots[starts], np.maximum.reduceat(found[usable], starts, axis=0)

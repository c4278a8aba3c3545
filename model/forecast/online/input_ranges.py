"""Input ranges: detection of metrics that have left their training range, sample by sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.forecast.predictor import Predictor
from model.units import MINUTE

MIN_DURATION = MINUTE
"""Seconds that a metric must stay beyond its training range to count as outside, or within it to count as inside."""

TOLERANCE = 0.1
"""Margin around a training range, as a fraction of its width; the margin is at least one standard deviation."""


@dataclass(frozen=True)
class InputRanges:
    """Training ranges of the input metrics of a model; each array is (inputs,), in the units of the samples.

    Attributes:
        columns: positions of the metrics among the columns of the samples.
        start_low: smaller values are beyond the range.
        start_high: larger values are beyond the range.
        end_low: smallest value inside the range; values from `start_low` to `end_low` do not change the state of a
            metric (hysteresis).
        end_high: largest value inside the range.
    """

    columns: Integers
    start_low: Floats
    start_high: Floats
    end_low: Floats
    end_high: Floats


def training_ranges(predictor: Predictor) -> InputRanges:
    """Return the training ranges of a predictor's input metrics, with margins; empty for a model without ranges."""
    spec = predictor.spec
    scaler = predictor.ensemble.scaler
    if scaler.low is None or scaler.high is None or not spec.inputs:
        nothing = np.empty(0)
        return InputRanges(np.empty(0, np.intp), nothing, nothing, nothing, nothing)
    last = np.array([spec.column_index[f"{name}:last"] for name in spec.inputs])
    low = scaler.low[last].astype(np.float64)
    high = scaler.high[last].astype(np.float64)
    margin = np.maximum(TOLERANCE * (high - low), scaler.deviation[last])
    logarithmic = np.array([name in spec.logarithmic for name in spec.inputs])

    def bound(values: Floats) -> Floats:
        return np.where(logarithmic, np.expm1(np.where(logarithmic, values, 0.0)), values)

    return InputRanges(
        columns=np.array([spec.columns.index(name) for name in spec.inputs], dtype=np.intp),
        start_low=bound(low - margin),
        start_high=bound(high + margin),
        end_low=bound(low - margin / 2),
        end_high=bound(high + margin / 2),
    )


class InputRangeMonitor:
    """State of each input metric of several hosts: inside or outside its training range.

    The state of a metric changes to outside once the metric has been beyond its range for MIN_DURATION, and back to
    inside once the metric has been inside for MIN_DURATION. Samples without the metric change nothing. The states do
    not depend on the division of the samples into calls.
    """

    def __init__(self, ranges: InputRanges, hosts: int) -> None:
        """Create a monitor with all metrics inside their range.

        Args:
            ranges: training ranges of the serving model.
            hosts: number of hosts.
        """
        self._ranges = ranges
        shape = (hosts, len(ranges.columns))
        self._beyond = _LastingCondition(shape)
        self._inside = _LastingCondition(shape)
        self._active: Bools = np.zeros(shape, bool)
        # True if no metric is outside, and none was beyond its range at its last known value
        self._quiet = True

    def extend(self, times: Floats, values: Floats) -> Bools | None:
        """Append samples, and return a mask of the metrics that are outside their range at each sample.

        Args:
            times: (hosts, rows) seconds, increasing and later than all previous times.
            values: (hosts, rows, columns of the samples), NaN where missing.

        Returns:
            (hosts, rows, inputs) True where a metric is outside its range; may be None if no metric is outside.
        """
        ranges = self._ranges
        if not len(ranges.columns):
            return None
        x = values[..., ranges.columns]
        beyond = (x < ranges.start_low) | (x > ranges.start_high)
        if self._quiet and not np.count_nonzero(beyond):
            return None
        known = ~np.isnan(x)
        inside = (x >= ranges.end_low) & (x <= ranges.end_high)
        entered = self._beyond.extend(times, beyond, known & ~beyond)
        left = self._inside.extend(times, inside, known & ~inside)
        # The later of the two events decides; both never occur at the same sample.
        changes = np.where(entered, 1, np.where(left, -1, 0))
        states = _last_change(changes, self._active)
        self._active = states[:, -1].copy()
        self._quiet = not (self._active.any() or self._beyond.holds.any())
        return states


class _LastingCondition:
    """Condition for each host and metric, with the time since which the condition has held."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._last_true = np.full(shape, -np.inf)
        self._last_false = np.full(shape, -np.inf)
        self._start = np.full(shape, -np.inf)

    @property
    def holds(self) -> Bools:
        """(hosts, inputs) True where the condition held at the metric's last known value."""
        return np.asarray(self._last_true > self._last_false)

    def extend(self, times: Floats, true: Bools, false: Bools) -> Bools:
        """Append samples; return (hosts, rows, inputs) True where the condition has held for at least MIN_DURATION.

        Args:
            times: (hosts, rows) seconds.
            true: (hosts, rows, inputs) True where the condition holds.
            false: (hosts, rows, inputs) True where the condition does not hold; a missing value is False in both.
        """
        at = times[..., None]
        last_true = _running_maximum(self._last_true, np.where(true, at, -np.inf))
        last_false = _running_maximum(self._last_false, np.where(false, at, -np.inf))
        starts = true & (last_true[:, :-1] <= last_false[:, :-1])
        start = _running_maximum(self._start, np.where(starts, at, -np.inf))
        # Copies: a view would keep the rows of a long history.
        self._last_true = last_true[:, -1].copy()
        self._last_false = last_false[:, -1].copy()
        self._start = start[:, -1].copy()
        return np.asarray(true & (at - start[:, 1:] >= MIN_DURATION))


def _running_maximum(initial: Floats, values: Floats) -> Floats:
    """Return the running maximum (hosts, rows + 1, inputs) over the rows.

    Args:
        initial: (hosts, inputs) first row.
        values: (hosts, rows, inputs) further rows.
    """
    return np.maximum.accumulate(np.concatenate((initial[:, None], values), axis=1), axis=1)


def _last_change(changes: Integers, initial: Bools) -> Bools:
    """Return the states (hosts, rows, inputs) after the changes of each row.

    Args:
        changes: (hosts, rows, inputs) 1 to switch on, -1 to switch off, 0 for no change.
        initial: (hosts, inputs) states before the first row.
    """
    rows = np.arange(changes.shape[1])[:, None]
    newest = np.maximum.accumulate(np.where(changes != 0, rows, -1), axis=1)
    last = np.take_along_axis(changes, np.maximum(newest, 0), axis=1)
    return np.asarray(np.where(newest < 0, initial[:, None], last > 0))

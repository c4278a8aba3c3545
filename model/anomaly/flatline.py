"""Flatline detection: metrics whose values stopped changing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats
from model.units import HOUR

FACTOR_PER_FALSE_ALARM = 4.0
"""Numerator n of the limit factor 1 + n / (false-alarm budget per month), which multiplies the second longest run."""

MIN_FACTOR = 1.3
"""Lower bound of the limit factor of one metric."""

MAX_FACTOR = 4.0
"""Upper bound of the limit factor of one metric."""

JOINT_FACTOR = 1.3
"""Limit factor of the joint run: rows in which no jointly checked metric changes, which is rare by chance."""

MIN_LIMIT = 2 * HOUR
"""Lower bound of the limit of one metric, in seconds."""

MIN_LIMIT_ROWS = 12.0
"""Lower bound of the limit of one metric, in rows."""

JOINT_MIN_LIMIT = HOUR / 4
"""Lower bound of the joint limit, in seconds."""

JOINT_MIN_LIMIT_ROWS = 3.0
"""Lower bound of the joint limit, in rows."""

MAX_RESTING_SHARE = 0.7
"""A metric is checked alone if the fraction of rows in which it does not change is below this value."""

MAX_RESTING_SHARE_JOINT = 0.998
"""A metric takes part in the joint run if the fraction of rows in which it does not change is below this value."""

MAX_ALARM = 3 * HOUR
"""Longest alarm in seconds; a value that stays constant for longer counts as normal."""


@dataclass(frozen=True)
class FlatlineBaseline:
    """Normal runs of unchanged values of one host, measured on its history.

    Attributes:
        longest_runs: (metrics,) length of the second longest run of each metric, or of its only run, in rows.
        longest_joint_run: rows in the second longest (or only) run in which no jointly checked metric changes.
        checked_alone: (metrics,) True for metrics whose own flatline is an anomaly.
        checked_jointly: (metrics,) True for metrics that take part in the joint run.
        tolerance: (metrics,) largest absolute difference between consecutive values that counts as unchanged.
    """

    longest_runs: Floats
    longest_joint_run: float
    checked_alone: Bools
    checked_jointly: Bools
    tolerance: Floats


def fit_flatline_baseline(x: Floats, tolerance: Floats) -> FlatlineBaseline:
    """Measure the second longest runs of unchanged values, and select the metrics to check alone and jointly.

    Args:
        x: (rows, metrics) values after the log transform, NaN where missing.
        tolerance: (metrics,) largest absolute difference between consecutive values that counts as unchanged.
    """
    changes = np.diff(x, axis=0)
    unchanged = np.abs(changes) <= tolerance
    known = ~np.isnan(changes)
    resting_share = unchanged.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    checked_alone = (resting_share < MAX_RESTING_SHARE) & (x.shape[1] > 1)
    checked_jointly = resting_share < MAX_RESTING_SHARE_JOINT
    none_changed = (unchanged | ~known)[:, checked_jointly].all(axis=1)
    all_unchanged = np.asarray(none_changed & known[:, checked_jointly].any(axis=1))
    return FlatlineBaseline(
        longest_runs=np.array([_second_longest_run(column) for column in unchanged.T]),
        longest_joint_run=_second_longest_run(all_unchanged),
        checked_alone=checked_alone,
        checked_jointly=checked_jointly,
        tolerance=tolerance,
    )


def _second_longest_run(flags: Bools) -> float:
    """Return the length of the second longest run of True values, or of the only run; 0 if there is no run."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    runs = np.sort(edges[1::2] - edges[::2])
    return float(runs[-2]) if len(runs) > 1 else float(runs.sum())


class _LongestRuns:
    """Lengths of the two longest completed runs of each series; 0 for a run that does not exist yet."""

    def __init__(self, series: int) -> None:
        self._first = np.zeros(series)
        self.second = np.zeros(series)

    def add(self, completed: Floats) -> None:
        """Add the lengths (series,) of the runs that ended at this row; 0 where no run ended."""
        is_longest = completed > self._first
        self.second = np.where(is_longest, self._first, np.maximum(self.second, completed))
        self._first = np.maximum(self._first, completed)


class FlatlineDetector:
    """Streaming flatline detector of one host.

    A limit is based on the second longest run in the history, or on the second longest run since the start if that is
    longer. The longest run is not used, because it may have been a fault.
    """

    def __init__(self, baseline: FlatlineBaseline, step: float, false_alarms_per_month: float) -> None:
        """Initialize without observations.

        Args:
            baseline: normal runs of unchanged values.
            step: row interval in seconds.
            false_alarms_per_month: false-alarm budget of all channels together.
        """
        factor = 1.0 + FACTOR_PER_FALSE_ALARM / max(false_alarms_per_month, 1e-6)
        self._factor = min(max(factor, MIN_FACTOR), MAX_FACTOR)
        self._baseline = baseline
        self._min_limit = max(MIN_LIMIT_ROWS, MIN_LIMIT / step)
        self._joint_min_limit = max(JOINT_MIN_LIMIT_ROWS, JOINT_MIN_LIMIT / step)
        self._max_alarm = MAX_ALARM / step
        metrics = len(baseline.longest_runs)
        self._previous = np.full(metrics, np.nan)
        self._runs = np.zeros(metrics)
        self._longest = _LongestRuns(metrics)
        self._joint_run = 0.0
        self._longest_joint = _LongestRuns(1)

    def update(self, x: Floats) -> tuple[float, Floats]:
        """Add a row and compare the current runs with their limits.

        Args:
            x: (metrics,) values after the log transform, NaN where missing.

        Returns:
            The largest ratio of a current run to its limit, and (metrics,) the ratio of each metric; 1 or more is an
            alarm. The ratio of a metric is 0 if it is missing or not checked alone, or after an alarm of MAX_ALARM.
            During an alarm of the joint run, the metrics in the joint run have at least the joint ratio.
        """
        baseline = self._baseline
        present = ~np.isnan(x)
        unchanged = present & (np.abs(x - self._previous) <= baseline.tolerance)
        changed = present & ~unchanged
        self._longest.add(np.where(changed, self._runs, 0.0))
        self._runs = np.where(changed, 0.0, self._runs + unchanged)
        self._previous = np.where(present, x, self._previous)
        longest = np.maximum(baseline.longest_runs, self._longest.second)
        limits = np.maximum(self._factor * longest + 1, self._min_limit)
        is_checked = baseline.checked_alone & present & (self._runs <= limits + self._max_alarm)
        ratios = np.where(is_checked, self._runs / limits, 0.0)
        jointly_checked = baseline.checked_jointly & present
        joint_ratio = self._update_joint_run(unchanged[jointly_checked])
        if joint_ratio >= 1:
            ratios = np.where(jointly_checked, np.maximum(ratios, joint_ratio), ratios)
        return max(float(ratios.max(initial=0.0)), joint_ratio), ratios

    def _update_joint_run(self, unchanged: Bools) -> float:
        """Extend or end the joint run, and return its ratio to the limit; 0 after an alarm of MAX_ALARM.

        Args:
            unchanged: (n,) True if the value did not change, for each jointly checked metric that is not missing.
        """
        if len(unchanged) and unchanged.all():
            self._joint_run += 1
        elif self._joint_run:
            self._longest_joint.add(np.array([self._joint_run]))
            self._joint_run = 0.0
        longest = max(self._baseline.longest_joint_run, float(self._longest_joint.second[0]))
        limit = max(JOINT_FACTOR * longest, self._joint_min_limit)
        return self._joint_run / limit if self._joint_run <= limit + self._max_alarm else 0.0

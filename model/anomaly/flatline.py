"""Values that do not move: a sensor that froze, a host that hangs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats
from model.units import HOUR

LONGER, SHORTEST_FACTOR, LONGEST_FACTOR = 2.0, 1.3, 3.0
"""A metric is stuck once its run is 1 + LONGER / (false alarms a month) times the longest that is known of it ..."""

ALL_LONGER = 1.3
"""... and all together, which happens by chance more seldom, this many times."""

SHORTEST = HOUR / 2
"""Seconds that count as the longest run at least; half of it for all together."""

RESTING, MOVING = 0.9, 0.998
"""A metric unchanged in a share of rows this large says nothing by itself; above the second, nothing at all."""

LASTS = 3 * HOUR
"""Seconds after which a value that stays is the new state of things."""


@dataclass(frozen=True)
class Runs:
    """What was seen of unchanged values: `longest` (metrics,) rows, `together` rows of all at once.

    `alone` (metrics,) says which metrics are watched by themselves, `moving` which are together; `least` (metrics,)
    is the difference that counts as one.
    """

    longest: Floats
    together: float
    alone: Bools
    moving: Bools
    least: Floats


def fit_runs(x: Floats, least: Floats) -> Runs:
    """Of (rows, metrics), NaN where missing; `least` (metrics,) is the difference that counts as one."""
    same = np.abs(np.diff(x, axis=0)) <= least
    known = ~np.isnan(np.diff(x, axis=0))
    resting = same.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    alone, moving = (resting < RESTING) & (x.shape[1] > 1), resting < MOVING
    longest = np.array([_longest(column) for column in same.T])
    quiet = np.asarray((same | ~known)[:, moving].all(axis=1) & known[:, moving].any(axis=1))
    return Runs(longest, _longest(quiet), alone, moving, least)


def _longest(flags: Bools) -> float:
    """The second longest run of true ones: the longest may itself have been a fault."""
    ends = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    runs = np.sort(ends[1::2] - ends[::2])
    return float(runs[-2]) if len(runs) > 1 else float(runs.sum())


class StuckRule:
    """Follows runs, and learns: what has happened twice is no longer strange."""

    def __init__(self, runs: Runs, step: float, false_alarms_per_month: float) -> None:
        """Nothing seen yet.

        Args:
            runs: that have been seen before.
            step: seconds between rows.
            false_alarms_per_month: that are allowed of all channels together.
        """
        longer = 1.0 + LONGER / max(false_alarms_per_month, 1e-6)
        self._longer = min(max(longer, SHORTEST_FACTOR), LONGEST_FACTOR)
        self._runs, self._least, self._lasts = runs, max(6.0, SHORTEST / step), LASTS / step
        metrics = len(runs.longest)
        self._before, self._run = np.full(metrics, np.nan), np.zeros(metrics)
        self._top, self._second = np.zeros(metrics), np.zeros(metrics)
        self._together = self._all_top = self._all_second = 0.0

    def __call__(self, x: Floats) -> tuple[float, Floats]:
        """Takes in a row (metrics,), NaN where missing.

        Returns:
            How far runs have come toward being strange (1: they are), and (metrics,) that of each metric.
        """
        by, known = self._runs, ~np.isnan(x)
        same = known & (np.abs(x - self._before) <= by.least)
        changed = known & ~same
        ended = np.where(changed, self._run, 0.0)
        self._second = np.where(ended > self._top, self._top, np.maximum(self._second, ended))
        self._top = np.maximum(self._top, ended)
        self._run = np.where(changed, 0.0, self._run + same)
        self._before = np.where(known, x, self._before)
        limit = np.maximum(self._longer * np.maximum(by.longest, self._second) + 1, 2 * self._least)
        each = np.where(by.alone & known & (self._run <= limit + self._lasts), self._run / limit, 0.0)
        together = self._all_stand(same[by.moving & known])
        if together >= 1:
            each = np.where(by.moving & known, np.maximum(each, together), each)
        return max(float(each.max(initial=0.0)), together), each

    def _all_stand(self, same: Bools) -> float:
        """How far the run of all metrics together has come."""
        if len(same) and same.all():
            self._together += 1
        else:
            ended, self._together = self._together, 0.0
            if ended > self._all_top:
                self._all_second, self._all_top = self._all_top, ended
            else:
                self._all_second = max(self._all_second, ended)
        limit = max(ALL_LONGER * max(self._runs.together, self._all_second), self._least / 2)
        return self._together / limit if self._together <= limit + self._lasts else 0.0

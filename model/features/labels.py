"""What high load is, and whether it follows.

A rule is a set of bounds that all hold; a sample is high when any rule holds; the state is high when that has
lasted. The label of a moment looks only forward, and says "unknown" where the future was not watched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from model.array_types import Floats, Integers
from model.errors import InputError

GAP_FACTOR = 2.5
"""Two samples further apart than this many steps have a gap between them, and nothing is carried across it."""

Bound = tuple[str, float | str]
"""A metric and the value it must reach; a quantile such as "p95" is resolved on the training data."""


def parse_quantile(bound: str) -> float | None:
    """The share in (0, 1) that a bound such as "p95" or "p99.5" names, or None if it names none."""
    try:
        share = float(bound.removeprefix("p")) / 100 if bound.startswith("p") else 0.0
    except ValueError:
        return None
    return share if 0 < share < 1 else None


@dataclass(frozen=True)
class Rules:
    """High load: any rule whose bounds all hold, for at least `sustained` seconds."""

    rules: tuple[tuple[Bound, ...], ...]
    sustained: float

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that the rules look at, each once."""
        return tuple(dict.fromkeys(metric for rule in self.rules for metric, _ in rule))

    @property
    def resolved(self) -> bool:
        """Whether every bound is a number."""
        return not any(isinstance(bound, str) for rule in self.rules for _, bound in rule)

    def resolve(self, columns: Sequence[str], values: Floats) -> Rules:
        """The same rules with each quantile replaced by its value in the history.

        Args:
            columns: names of the columns of `values`.
            values: (rows, columns), NaN where missing.

        Raises:
            InputError: a metric of a quantile has no positive value at it, so that no bound can be set.
        """

        def number(metric: str, bound: float | str) -> float:
            if not isinstance(bound, str):
                return bound
            column = values[:, columns.index(metric)]
            known = column[~np.isnan(column)]
            found = float(np.quantile(known, parse_quantile(bound) or 0)) if known.size else 0.0
            if found <= 0:
                raise InputError(f'high_load.rules: {metric} = "{bound}" has no positive value in the history')
            return found

        return Rules(tuple(tuple((m, number(m, b)) for m, b in rule) for rule in self.rules), self.sustained)

    def load_index(self, columns: Sequence[str], values: Floats) -> Floats:
        """How near the rules are to holding: 1 or more is where one holds.

        The largest over the rules of the smallest value / bound in each; a rule with a missing value, or with an
        unresolved bound, is unknown.

        Returns:
            (rows,) float64, NaN where no rule is known.
        """
        of_rules = []
        for rule in self.rules:
            bounds = [(columns.index(metric), bound) for metric, bound in rule if not isinstance(bound, str)]
            if len(bounds) == len(rule):
                of_rules.append(reduce(np.minimum, [values[:, column] / bound for column, bound in bounds]))
        return reduce(np.fmax, of_rules) if of_rules else np.full(len(values), np.nan)


def future_labels(
    times: Floats, state: Floats, horizons: Sequence[float], step: float, rows: Integers | None = None
) -> Floats:
    """Whether high load occurs anywhere in (t, t + horizon].

    1 where it does; 0 where all of the horizon was watched and it does not; NaN where a gap, an unknown state or
    the end of the history leaves that open.

    Args:
        times: (rows,) seconds, increasing.
        state: (rows,) 1 high, 0 not, NaN unknown.
        horizons: seconds.
        step: seconds between samples.
        rows: (n,) moments that are asked for, by number; None for all.

    Returns:
        (n, horizons) float32.
    """
    high = np.where(state == 1, times, np.inf)
    next_high = np.append(np.minimum.accumulate(high[::-1])[::-1][1:], np.inf)
    breaks = np.append(np.diff(times) > GAP_FACTOR * step, True) | np.append(np.isnan(state[1:]), True)
    watched_until = np.minimum.accumulate(np.where(breaks, times, np.inf)[::-1])[::-1]
    if rows is not None:
        times, next_high, watched_until = times[rows], next_high[rows], watched_until[rows]
    labels = np.full((len(times), len(horizons)), np.nan, np.float32)
    for column, horizon in enumerate(horizons):
        occurs = next_high <= times + horizon
        # the last sample inside the horizon may come up to a step before its end
        watched = watched_until > times + horizon - step
        labels[:, column] = np.where(occurs, 1, np.where(watched, 0, np.nan))
    return labels

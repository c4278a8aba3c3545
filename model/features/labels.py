"""High load: rules, load index, and labels of future high load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from model.array_types import Floats, Integers
from model.errors import InputError
from model.features.rows import Rows, column_of
from model.features.spacing import CHUNK_ROWS, RECENT_INTERVALS, follows_gap, sample_spacing

Bound = tuple[str, float | str]
"""A metric and the value that it must reach; a quantile such as "p95" is resolved on the training data."""


def parse_quantile(bound: str) -> float | None:
    """Return the quantile in (0, 1) that a bound such as "p95" or "p99.5" denotes, or None for any other text."""
    try:
        quantile = float(bound.removeprefix("p")) / 100 if bound.startswith("p") else 0.0
    except ValueError:
        return None
    return quantile if 0 < quantile < 1 else None


@dataclass(frozen=True)
class Rules:
    """High-load rules: load is high once at least one rule has held without a break for `sustained` seconds.

    Attributes:
        rules: bounds of each rule; a rule holds while all its metrics reach their bounds.
        sustained: seconds for which at least one rule must hold.
    """

    rules: tuple[tuple[Bound, ...], ...]
    sustained: float

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that the rules use, without duplicates."""
        return tuple(dict.fromkeys(metric for rule in self.rules for metric, _ in rule))

    @property
    def resolved(self) -> bool:
        """True if every bound is a number."""
        return not any(isinstance(bound, str) for rule in self.rules for _, bound in rule)

    def resolve(self, columns: Sequence[str], values: Rows) -> Rules:
        """Return the rules with each quantile replaced by its value in a history.

        Args:
            columns: names of the columns of `values`.
            values: (rows, columns), NaN where missing.

        Raises:
            InputError: a quantile is not positive, or its metric has no known value.
        """

        def number(metric: str, bound: float | str) -> float:
            if not isinstance(bound, str):
                return bound
            all_values = column_of(values, columns.index(metric))
            known = all_values[~np.isnan(all_values)]
            quantile = float(np.quantile(known, parse_quantile(bound) or 0)) if known.size else 0.0
            if quantile <= 0:
                raise InputError(f'high_load.rules: {metric} = "{bound}" has no positive value in the history')
            return quantile

        resolved = tuple(tuple((metric, number(metric, bound)) for metric, bound in rule) for rule in self.rules)
        return Rules(resolved, self.sustained)

    def load_index(self, columns: Sequence[str], values: Floats) -> Floats:
        """Return the load index of each row.

        The index of a rule is the smallest ratio of a metric to its bound. The load index is the maximum over the
        rules. If it is at least 1, at least one rule holds. A rule with a missing value or a quantile as bound is
        ignored.

        Args:
            columns: names of the columns of `values`.
            values: (rows, columns), NaN where missing.

        Returns:
            (rows,) float64, NaN where no rule can be evaluated.
        """
        ratios = []
        for rule in self.rules:
            bounds = [(columns.index(metric), bound) for metric, bound in rule if not isinstance(bound, str)]
            if len(bounds) == len(rule):
                ratios.append(reduce(np.minimum, [values[:, position] / bound for position, bound in bounds]))
        return reduce(np.fmax, ratios) if ratios else np.full(len(values), np.nan)


def future_labels(times: Floats, state: Floats, horizons: Sequence[float], rows: Integers | None = None) -> Floats:
    """Label each sample, at time t, by the occurrence of high load in (t, t + horizon].

    A label is 1 if high load occurs, and 0 if it does not occur and samples cover the horizon. It is NaN if no sample
    lies within the horizon, or if a gap, an unknown state or the end of the history leaves the outcome unknown.

    Args:
        times: (rows,) seconds, increasing.
        state: (rows,) 1 during high load, 0 otherwise, NaN if unknown.
        horizons: prediction horizons in seconds.
        rows: (n,) indices of the samples to label; None for all.

    Returns:
        (n, horizons) float32.
    """
    if not len(times):
        return np.empty((0, len(horizons)), np.float32)
    if rows is None:
        rows = np.arange(len(times))
    high = np.flatnonzero(state == 1)
    next_high = np.append(times[high], np.inf)[np.searchsorted(high, rows, side="right")]
    next_time = np.where(rows + 1 < len(times), times[np.minimum(rows + 1, len(times) - 1)], np.inf)
    breaks, ends = _breaks(times, state)
    covered_until = ends[np.searchsorted(breaks, rows)]
    times = times[rows]
    labels = np.full((len(times), len(horizons)), np.nan, np.float32)
    for position, horizon in enumerate(horizons):
        end = times + horizon
        covered = (covered_until > end) & (next_time <= end)
        labels[:, position] = np.where(next_high <= end, 1, np.where(covered, 0, np.nan))
    return labels


def _breaks(times: Floats, state: Floats) -> tuple[Integers, Floats]:
    """Return the rows that no known state follows without a gap, and until when samples cover the time after them.

    Args:
        times: (rows,) seconds, increasing.
        state: (rows,) NaN if unknown.

    Returns:
        (breaks,) positions, of which the last row is one, and (breaks,) seconds: the first break from this one on
        whose sample ends, one spacing after its time.
    """
    positions = []
    ends = []
    for start in range(0, len(times), CHUNK_ROWS):
        first = max(start - RECENT_INTERVALS, 0)
        # With the row after the chunk, which may follow a gap.
        part = times[first : start + CHUNK_ROWS + 1]
        spacing = sample_spacing(part, start - first)
        part = part[start - first :]
        unknown = np.isnan(state[start + 1 : start + CHUNK_ROWS + 1])
        is_break = follows_gap(np.diff(part), spacing[1:]) | unknown
        if start + CHUNK_ROWS >= len(times):
            is_break = np.append(is_break, True)
        rows = np.flatnonzero(is_break)
        positions.append(start + rows)
        # The last sample within the horizon may precede the end of the horizon by up to the spacing.
        ends.append(part[rows] + spacing[rows])
    return np.concatenate(positions), _following_minimum(np.concatenate(ends))


def _following_minimum(values: Floats) -> Floats:
    """Return the minimum (rows,) of each value and all later values."""
    return np.minimum.accumulate(values[::-1])[::-1]

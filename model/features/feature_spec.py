"""Feature specification: metrics, windows, rules and horizons from which a model's features are computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model.array_types import Bools, Floats
from model.features.labels import Rules
from model.features.rolling_window import RollingWindow
from model.features.rows import Rows, row_chunks
from model.features.seasonal import seasonal_feature_names
from model.features.spacing import GAP_FACTOR, RECENT_INTERVALS
from model.features.time_buckets import SEASONAL_DAYS, SEASONAL_LOOKBACK, bucket_width
from model.units import DAY, HOUR, MINUTE

MAX_RATIO = 64.0
"""A non-negative metric with a value above this limit counts as a rate or size and enters as log(1 + x)."""

LOAD_LIMIT = 1.25
"""Upper limit of the load index in features: one spike far above its bound would dominate windows of several days."""

UNSTATED_LOAD_LIMIT = 8.0
"""Upper limit of the load index in models of releases that did not store it."""

GENERAL_WINDOWS = (MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR)
"""Window lengths in seconds that every specification contains; the pretrained model uses no others."""


def windows_for(horizons: Sequence[float], step: float) -> tuple[float, ...]:
    """Return the window lengths in seconds for the given horizons, in increasing order.

    The lengths are GENERAL_WINDOWS, each horizon, 1/5 of the shortest horizon, and 1/2, 2 and 4 times the longest
    horizon. A length below two steps is raised to two steps.

    Args:
        horizons: seconds.
        step: seconds between samples.
    """
    longest = max(horizons)
    lengths = {min(horizons) / 5, *horizons, longest / 2, 2 * longest, 4 * longest, *GENERAL_WINDOWS}
    return tuple(sorted({at_least_two_samples(length, step) for length in lengths}))


def at_least_two_samples(window: float, step: float) -> float:
    """Return the larger of a window length and two sampling steps, in seconds."""
    return max(window, 2 * step)


@dataclass(frozen=True)
class FeatureSpec:
    """Specification from which the features of a model are computed; it is stored with the model.

    Attributes:
        columns: metrics of the sample rows, in order.
        inputs: columns from which features are computed.
        logarithmic: inputs that enter as log(1 + x).
        rules: high-load rules with numeric bounds.
        windows: window lengths in seconds, increasing.
        step: seconds between samples.
        horizons: prediction horizons in seconds.
        seasonal: True to include seasonal features, which need a step of at most an hour.
        load_limit: upper limit of the load index.
        crossings: True to include the share of time above the bound that was not sustained, per window.
    """

    columns: tuple[str, ...]
    inputs: tuple[str, ...]
    logarithmic: tuple[str, ...]
    rules: Rules
    windows: tuple[float, ...]
    step: float
    horizons: tuple[float, ...]
    seasonal: bool
    load_limit: float = LOAD_LIMIT
    crossings: bool = True

    @property
    def lookback(self) -> float:
        """Length of the longest window in seconds."""
        return self.windows[-1]

    @property
    def high_load_memory(self) -> float:
        """Upper limit in seconds of the features for time since high load, since an onset and between onsets."""
        return SEASONAL_DAYS * DAY if self.seasonal else self.lookback

    @property
    def required_history(self) -> float:
        """Seconds of history that yield the same features as the complete history.

        `sustained` is included, because the high-load state depends on the samples of the last `sustained` seconds.
        """
        days = SEASONAL_LOOKBACK if self.seasonal else 0.0
        return max(self._required_sample_seconds, days + self.rules.sustained)

    @property
    def _required_sample_seconds(self) -> float:
        """Seconds of history to keep as individual samples; time buckets suffice for older history."""
        return self.lookback + self.rules.sustained + (2 * GAP_FACTOR + RECENT_INTERVALS) * self.step

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Name of each feature, "<metric>:<statistic>[:<window>]", in the order of the design matrix.

        The statistic "departure" is the last value of an input minus its mean over the window.
        """
        spans = [f"{window:g}s" for window in self.windows]
        metrics = [f"{name}:last" for name in self.inputs]
        metrics += [f"{name}:departure:{span}" for span in spans for name in self.inputs]
        statistics = ("mean", "deviation", "high", "max", "min")
        load = ["load_index:last", "load_index:state"]
        load += [f"load_index:{statistic}:{span}" for span in spans for statistic in statistics]
        load += [f"load_index:{name}" for name in ("since_high", "since_onset", "period", "phase")]
        if self.crossings:
            load += [f"load_index:crossings:{span}" for span in spans]
        days = seasonal_feature_names(self.inputs, self.horizons) if self.seasonal else ()
        return (*metrics, *load, *days)

    @cached_property
    def column_index(self) -> dict[str, int]:
        """Column index in the design matrix for each feature name."""
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Feature groups: each input, "load_index", and with seasonal features "yesterday" and "past_days"."""
        return tuple(dict.fromkeys(name.partition(":")[0] for name in self.names))

    @cached_property
    def group_membership(self) -> Floats:
        """Indicator matrix (features, groups): 1 where a feature belongs to a group."""
        metrics = np.array([name.partition(":")[0] for name in self.names])
        return np.asarray(metrics[:, None] == np.array(self.groups), dtype=np.float64)

    @cached_property
    def metric_features(self) -> Bools:
        """Indicator matrix (inputs, features): True where a feature is computed from the input alone."""
        groups = np.array([name.partition(":")[0] for name in self.names])
        return np.asarray(groups == np.array(self.inputs, dtype=np.str_)[:, None])

    @cached_property
    def is_metric(self) -> Bools:
        """(features,) True for features of a single input, False for features of the load index."""
        return np.asarray(self.metric_features.any(axis=0))

    def new_window(self, *, bounded: bool = False) -> RollingWindow:
        """Return an empty rolling window for these features.

        Args:
            bounded: True to drop rows that no later feature needs; for a window that is extended indefinitely.
        """
        window = RollingWindow(
            self.columns,
            self.rules,
            self.step,
            inputs=self.inputs,
            logarithmic=self.logarithmic,
            keep_seconds=self._required_sample_seconds if bounded else np.inf,
            bucket_width=bucket_width(self.step) if self.seasonal else None,
        )
        window.load_limit = self.load_limit
        return window


def make_spec(
    columns: Sequence[str],
    values: Rows,
    rules: Rules,
    horizons: Sequence[float],
    step: float,
) -> FeatureSpec:
    """Derive the feature specification from a history.

    The inputs are the columns that are not constant and have a known value in at least half of the rows.
    Non-negative inputs with values above MAX_RATIO are logarithmic.

    Args:
        columns: names of the columns of `values`.
        values: (rows, columns), NaN where missing.
        rules: high-load rules with numeric bounds.
        horizons: prediction horizons in seconds.
        step: seconds between samples.
    """
    known = np.zeros(len(columns), np.int64)
    low = np.full(len(columns), np.nan)
    high = np.full(len(columns), np.nan)
    for _, part in row_chunks(values):
        known += np.count_nonzero(~np.isnan(part), axis=0)
        low = np.fmin(low, np.fmin.reduce(part, axis=0))
        high = np.fmax(high, np.fmax.reduce(part, axis=0))
    is_input = (known > 0) & (known >= len(values) / 2) & (low != high)
    is_logarithmic = is_input & (high > MAX_RATIO) & (low >= 0)
    inputs = [name for name, chosen in zip(columns, is_input, strict=True) if chosen]
    logarithmic = [name for name, chosen in zip(columns, is_logarithmic, strict=True) if chosen]
    return FeatureSpec(
        columns=tuple(columns),
        inputs=tuple(inputs),
        logarithmic=tuple(logarithmic),
        rules=rules,
        windows=windows_for(horizons, step),
        step=step,
        horizons=tuple(horizons),
        seasonal=bucket_width(step) is not None,
    )

"""Forecasting task: rules, horizons and target precision, with the reasons for omitted horizons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.errors import NotEnoughHistoryError, SkipReason
from model.features.labels import Rules
from model.features.rows import Rows, column_of

MIN_EVENTS = 5
"""Smallest number of events in a history, and in each fold if the folds are equal numbers of rows."""


@dataclass(frozen=True)
class Task:
    """Definition of high load, forecast horizons and target precision of warnings.

    Attributes:
        rules: high-load rules; a bound may be a quantile of the training history.
        horizons: seconds.
        precision: target fraction of warnings followed by high load.
    """

    rules: Rules
    horizons: tuple[float, ...]
    precision: float = 0.8


@dataclass(frozen=True)
class OmittedHorizon:
    """Reason why a model does not predict one horizon of its task.

    Attributes:
        reason: too few examples in the history, or a horizon shorter than the sampling interval.
        events: number of events of the horizon in the history.
    """

    reason: SkipReason
    events: int

    @property
    def message(self) -> str:
        """Text of the reason for users, with the number of events if there are too few."""
        needed = f"a model of this host needs {MIN_EVENTS} that are more than the horizon apart"
        if self.reason is SkipReason.TOO_FEW_EVENTS:
            return f"{self.reason.message} in the history: {self.events} of {MIN_EVENTS}; {needed}"
        if self.reason is SkipReason.HORIZON_BELOW_SPACING:
            return (
                f"{self.reason.message} in the history; outcomes within a shorter time than the spacing are unknown"
            )
        return f"{self.reason.message} in the history; a model of this host needs examples of calm and high load"


def require_metrics(rules: Rules, columns: Sequence[str], values: Rows) -> None:
    """Raise NotEnoughHistoryError unless all metrics of at least one rule are known in the same sample.

    Args:
        rules: high-load rules; a bound may be a quantile.
        columns: names of the columns of `values`.
        values: (rows, columns), NaN where missing.

    Raises:
        NotEnoughHistoryError: no rule has such a sample; the message names the missing metrics of each rule.
    """
    known = {
        metric: ~np.isnan(column_of(values, columns.index(metric))) for metric in rules.metrics if metric in columns
    }
    problems = []
    for rule in rules.rules:
        missing = [metric for metric, _ in rule if metric not in known or not known[metric].any()]
        if not missing and np.logical_and.reduce([known[metric] for metric, _ in rule]).any():
            return
        bounds = ", ".join(f"{metric} = {bound}" for metric, bound in rule)
        absent = f"has no {' and no '.join(missing)}" if missing else "never has these metrics at the same time"
        problems.append(f"the rule {{ {bounds} }} cannot be evaluated: the history {absent}")
    reason = SkipReason.MISSING_METRIC
    raise NotEnoughHistoryError(f"{reason.message}: {'; '.join(problems)}", reason)

"""Forecasting task, and the horizons of it for which a history has too few examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.errors import NotEnoughHistoryError, SkipReason
from model.features.labels import Rules

MIN_EVENTS = 5
"""Events from which a part of a history is enough to evaluate a model, and a history to train one."""


@dataclass(frozen=True)
class Task:
    """Forecasting task.

    Attributes:
        rules: high-load rules; bounds may be quantiles.
        horizons: seconds.
        precision: wanted precision of warnings.
    """

    rules: Rules
    horizons: tuple[float, ...]
    precision: float = 0.8


@dataclass(frozen=True)
class OmittedHorizon:
    """Reason why a model does not predict a horizon of its task.

    Attributes:
        reason: outcomes that the history lacks.
        events: events of the horizon in the history.
    """

    reason: SkipReason
    events: int

    @property
    def message(self) -> str:
        """Sentence for messages."""
        needed = f"a model of this host needs {MIN_EVENTS} that are more than the horizon apart"
        if self.reason is SkipReason.TOO_FEW_EVENTS:
            return f"{self.reason.message} in the history: {self.events} of {MIN_EVENTS}; {needed}"
        if self.reason is SkipReason.HORIZON_BELOW_SPACING:
            return (
                f"{self.reason.message} in the history; outcomes within a shorter time than the spacing are unknown"
            )
        return f"{self.reason.message} in the history; a model of this host needs examples of both"


def require_metrics(rules: Rules, columns: Sequence[str], values: Floats) -> None:
    """Raise an exception if no rule has a sample with all of its metrics.

    Args:
        rules: high-load rules; bounds may be quantiles.
        columns: names of the columns.
        values: (rows, columns), NaN where missing.

    Raises:
        NotEnoughHistoryError: the message names each rule with the metrics that it misses.
    """
    known = {name: ~np.isnan(values[:, i]) for i, name in enumerate(columns)}
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

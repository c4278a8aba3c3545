"""Forecasting task, and the horizons of it for which a history has no examples."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from model.array_types import Floats
from model.errors import SkipReason
from model.features.dataset import Split
from model.features.labels import Rules


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


class HistoryPart(StrEnum):
    """Part of the history."""

    TRAINING = "training part"
    HOLDOUT = "holdout"


@dataclass(frozen=True)
class OmittedHorizon:
    """Reason for which a model does not predict a horizon of its task.

    Attributes:
        reason: outcomes that the history lacks.
        part: part of the history that lacks them.
    """

    reason: SkipReason
    part: HistoryPart

    @property
    def message(self) -> str:
        """Sentence for messages."""
        cause = f"{self.reason.message} in the {self.part} of the history"
        if self.reason is SkipReason.HORIZON_BELOW_SPACING:
            return f"{cause}; outcomes within a shorter time than the spacing are unknown"
        return f"{cause}; a prediction needs examples of both"


def omitted_horizon(parts: Split, column: int, horizon: float) -> OmittedHorizon | None:
    """Return the reason for which one horizon of a split cannot be learned or evaluated, None if it can.

    Args:
        parts: training part and holdout.
        column: position of the horizon.
        horizon: the horizon in seconds.
    """
    for part, dataset in ((HistoryPart.TRAINING, parts.train), (HistoryPart.HOLDOUT, parts.holdout)):
        reason = _missing_outcomes(dataset.y[:, column])
        if reason is SkipReason.NO_KNOWN_OUTCOME and np.median(dataset.spacing) > horizon:
            reason = SkipReason.HORIZON_BELOW_SPACING
        if reason is not None:
            return OmittedHorizon(reason, part)
    return None


def _missing_outcomes(labels: Floats) -> SkipReason | None:
    """Return the reason for which labels (rows,) hold no examples of both outcomes, None if they do."""
    known = labels[~np.isnan(labels)]
    if not known.size:
        return SkipReason.NO_KNOWN_OUTCOME
    if not known.any():
        return SkipReason.NO_HIGH_LOAD
    return SkipReason.NO_CALM_LOAD if known.all() else None

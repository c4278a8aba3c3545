"""Serving predictors: their names, and the reasons for which they serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MODEL = "model"
REDUCED_MODEL = "reduced model"
"""Names of the model among the predictors that may serve; reduced while metrics are outside their training range."""


class ServingReason(StrEnum):
    """Reason why a probability is not that of the whole model."""

    INPUT_OUT_OF_RANGE = "input_out_of_range"
    """Metrics are outside their training range: the model predicts without them."""

    BASELINE_MORE_ACCURATE = "baseline_more_accurate"
    """A baseline was more accurate than the model on recent outcomes."""

    HIGH_LOAD_FLOOR = "high_load_floor"
    """The model was below persistence during high load."""


@dataclass(frozen=True)
class Serving:
    """Predictor that serves at one horizon for one sample.

    Attributes:
        predictor: MODEL, REDUCED_MODEL, or the name of a baseline.
        reason: reason why it is not the whole model; None if it is.
        metrics: metrics outside their training range.
    """

    predictor: str = MODEL
    reason: ServingReason | None = None
    metrics: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """Phrase for messages; empty if the whole model serves."""
        if self.reason is ServingReason.BASELINE_MORE_ACCURATE:
            return f"{self.predictor} was more accurate than the model on recent outcomes"
        if self.reason is ServingReason.HIGH_LOAD_FLOOR:
            return f"load is high, and the model was below {self.predictor}"
        return out_of_range_message(self.metrics) if self.metrics else ""


def out_of_range_message(metrics: Sequence[str]) -> str:
    """Return a phrase that names metrics outside their training range."""
    possessive = "its" if len(metrics) == 1 else "their"
    return f"{', '.join(metrics)} outside {possessive} training range"

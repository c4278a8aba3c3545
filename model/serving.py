"""Serving predictors: names, and reasons why the full model does not serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MODEL = "model"
"""Name of the full model, which uses all its input metrics."""

REDUCED_MODEL = "reduced model"
"""Name of the model without the metrics that are outside their training range."""

PRETRAINED_MODEL = "pretrained model"
"""Name of the pretrained model, before a model of the host serves, or at a horizon for which its history has too few
examples."""


class ServingReason(StrEnum):
    """Reason why the reduced model, the pretrained model or a baseline serves instead of the full model."""

    INPUT_OUT_OF_RANGE = "input_out_of_range"
    """Metrics are outside their training range, so the full model does not serve."""

    BASELINE_MORE_ACCURATE = "baseline_more_accurate"
    """A baseline was more accurate than the model on recent outcomes."""

    HORIZON_NOT_FITTED = "horizon_not_fitted"
    """The history has too few examples to fit and judge the horizon, so the pretrained model serves it."""

    HOST_NOT_FITTED = "host_not_fitted"
    """No model has been fitted on this host, so the pretrained model serves every horizon."""

    HIGH_LOAD_FLOOR = "high_load_floor"
    """In a high-load period, the prediction was below the high-load floor, which is served instead."""


@dataclass(frozen=True)
class Serving:
    """Predictor that serves one horizon at one sample, and the reason if it is not the full model.

    Attributes:
        predictor: MODEL, REDUCED_MODEL, PRETRAINED_MODEL, or the name of a baseline.
        reason: reason why the full model does not serve; None if the full model serves.
        metrics: metrics outside their training range.
    """

    predictor: str = MODEL
    reason: ServingReason | None = None
    metrics: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """Reason as a phrase, for messages; empty if the full model serves."""
        if self.reason is ServingReason.BASELINE_MORE_ACCURATE:
            return f"{self.predictor} was more accurate than the model on recent outcomes"
        if self.reason is ServingReason.HORIZON_NOT_FITTED:
            return "the history of this host has too few examples at this horizon"
        if self.reason is ServingReason.HOST_NOT_FITTED:
            return "no model has been trained on this host yet"
        if self.reason is ServingReason.HIGH_LOAD_FLOOR:
            return f"load is high, and the model was below {self.predictor}"
        return out_of_range_message(self.metrics) if self.metrics else ""


def out_of_range_message(metrics: Sequence[str]) -> str:
    """Return the reason INPUT_OUT_OF_RANGE as a phrase that names the metrics."""
    possessive = "its" if len(metrics) == 1 else "their"
    return f"{', '.join(metrics)} outside {possessive} training range"

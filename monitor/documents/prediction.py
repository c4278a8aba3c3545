"""Prediction documents: probabilities with their attributions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.stores import is_warning
from monitor.system.formatting import format_duration
from storage import Prediction

if TYPE_CHECKING:
    # imports NumPy, which `monitor status` does without
    from monitor.inference.forecast import Forecast

EXPLAINED = 4
"""Largest number of contributions of a prediction that are explained in words."""

SMALLEST_EXPLAINED = 0.05
"""Smallest contribution, in log-odds, that is explained next to a larger one."""


@dataclass(frozen=True)
class PredictionSummary:
    """Probability of high load within one horizon; a part of the status.

    Attributes:
        at: time of the prediction in seconds since the epoch.
        horizon: seconds.
        horizon_name: the horizon as in the configuration.
        model_id: the model that made it.
        probability: calibrated probability of high load.
        baseline_probability: base rate of the training data.
        threshold: probability from which it is a warning; 1 or above never warns.
        warning: True if the probability reaches the threshold.
    """

    at: float
    horizon: float
    horizon_name: str
    model_id: int
    probability: float
    baseline_probability: float
    threshold: float
    warning: bool


@dataclass(frozen=True)
class PredictionDocument(PredictionSummary):
    """Probability with its attribution; an entry of `monitor predict` and /api/v1/prediction.

    Attributes:
        served_by: "model", or the name of the fallback that serves in its place.
        contributions: attribution to each metric, in log-odds relative to the base rate.
        because: the largest contributions as phrases, the largest first.
    """

    served_by: str
    contributions: dict[str, float]
    because: tuple[str, ...]


def prediction_summary(prediction: Prediction) -> PredictionSummary:
    """Return the summary of a prediction."""
    return PredictionSummary(
        at=prediction.at,
        horizon=prediction.horizon,
        horizon_name=format_duration(prediction.horizon),
        model_id=prediction.model_id,
        probability=prediction.probability,
        baseline_probability=prediction.baseline_probability,
        threshold=prediction.threshold,
        warning=is_warning(prediction),
    )


def prediction_documents(forecast: Forecast) -> tuple[PredictionDocument, ...]:
    """Return one document per horizon of a forecast."""
    parts = zip(forecast.predictions, forecast.contributions, forecast.served_by, strict=True)
    return tuple(
        PredictionDocument(
            at=prediction.at,
            horizon=prediction.horizon,
            horizon_name=format_duration(prediction.horizon),
            model_id=prediction.model_id,
            probability=prediction.probability,
            baseline_probability=prediction.baseline_probability,
            threshold=prediction.threshold,
            warning=is_warning(prediction),
            served_by=served_by,
            contributions=dict(contributions),
            because=tuple(
                forecast.describe(metric, prediction.horizon) for metric in largest_contributions(contributions)
            ),
        )
        for prediction, contributions, served_by in parts
    )


def largest_contributions(contributions: Mapping[str, float]) -> tuple[str, ...]:
    """Return the metrics with the largest contributions, the largest first; at least one if there is any."""
    ordered = sorted(contributions, key=lambda metric: -abs(contributions[metric]))
    explained = [metric for metric in ordered[:EXPLAINED] if abs(contributions[metric]) >= SMALLEST_EXPLAINED]
    return tuple(explained or ordered[:1])

"""Prediction documents: probabilities with their attributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from model.serving import ServingReason, out_of_range_message
from monitor.system.formatting import format_duration
from storage import Prediction

if TYPE_CHECKING:
    # Imports the forecasting model, which `monitor status` does not need.
    from monitor.inference.forecast import Forecast

EXPLAINED = 4
"""Largest number of contributions of a prediction that are explained in words."""

SMALLEST_EXPLAINED = 0.05
"""Smallest absolute contribution, in log-odds, that is explained; if all are smaller, the largest is explained."""


class PredictedEvent(StrEnum):
    """Event whose probability is predicted."""

    ONSET = "onset"
    CONTINUATION = "continuation"


@dataclass(frozen=True)
class OutOfRangeInput:
    """Metric that is left out of the prediction, with the reason; a part of the status.

    Attributes:
        metric: name of the metric.
        reason: code of the reason.
        message: the reason in words.
    """

    metric: str
    reason: ServingReason
    message: str


@dataclass(frozen=True)
class PredictionSummary:
    """Probability of high load within one horizon; a part of the status.

    Attributes:
        at: time of the prediction in seconds since the epoch.
        horizon: seconds.
        horizon_name: the horizon as in the configuration.
        model_id: ID of the model.
        event: "onset" while load is not high; "continuation" during high load, when the probability is that high load
            continues or returns within the horizon.
        probability: calibrated probability of high load.
        baseline_probability: base rate of the training data.
        threshold: probability at which a warning starts, or ends while one is active; 1 if there are no warnings.
        warning: True while a warning is active; never during high load.
        high_load_since: start of the high-load period in seconds since the epoch; None while load is not high.
    """

    at: float
    horizon: float
    horizon_name: str
    model_id: int
    event: PredictedEvent
    probability: float
    baseline_probability: float
    threshold: float
    warning: bool
    high_load_since: float | None


@dataclass(frozen=True)
class PredictionDocument(PredictionSummary):
    """Probability with its attribution; an entry of `monitor predict` and /api/v1/prediction.

    Attributes:
        served_by: "model", "reduced model" (without metrics outside their training range), "pretrained model" (before
            a model of the host serves, or at a horizon with too few examples in its history), or the name of the
            baseline that serves in place of the model.
        serving_reason: code of the reason why the full model does not serve; None if it does.
        serving_message: the reason in words; empty if the full model serves.
        inputs_out_of_range: metrics outside their training range, which are left out of the prediction.
        contributions: contribution of each metric, in log-odds relative to the base rate.
        because: phrases that explain the largest contributions, by descending absolute contribution.
    """

    served_by: str
    serving_reason: ServingReason | None
    serving_message: str
    inputs_out_of_range: tuple[str, ...]
    contributions: dict[str, float]
    because: tuple[str, ...]


def out_of_range_inputs(metrics: Sequence[str]) -> tuple[OutOfRangeInput, ...]:
    """Convert the names of metrics outside their training range to their JSON documents."""
    reason = ServingReason.INPUT_OUT_OF_RANGE
    return tuple(OutOfRangeInput(metric, reason, out_of_range_message([metric])) for metric in metrics)


def predicted_event(prediction: Prediction) -> PredictedEvent:
    """Return the event that the probability refers to: continuation during high load, otherwise onset."""
    return PredictedEvent.ONSET if prediction.high_load_since is None else PredictedEvent.CONTINUATION


def prediction_summary(prediction: Prediction) -> PredictionSummary:
    """Convert a prediction to its JSON summary."""
    return PredictionSummary(
        at=prediction.at,
        horizon=prediction.horizon,
        horizon_name=format_duration(prediction.horizon),
        model_id=prediction.model_id,
        event=predicted_event(prediction),
        probability=prediction.probability,
        baseline_probability=prediction.baseline_probability,
        threshold=prediction.threshold,
        warning=prediction.warning,
        high_load_since=prediction.high_load_since,
    )


def prediction_documents(forecast: Forecast) -> tuple[PredictionDocument, ...]:
    """Convert a forecast to one JSON document per horizon."""
    parts = zip(forecast.predictions, forecast.contributions, forecast.serving, strict=True)
    return tuple(
        PredictionDocument(
            at=prediction.at,
            horizon=prediction.horizon,
            horizon_name=format_duration(prediction.horizon),
            model_id=prediction.model_id,
            event=predicted_event(prediction),
            probability=prediction.probability,
            baseline_probability=prediction.baseline_probability,
            threshold=prediction.threshold,
            warning=prediction.warning,
            high_load_since=prediction.high_load_since,
            served_by=serving.predictor,
            serving_reason=serving.reason,
            serving_message=serving.message,
            inputs_out_of_range=serving.metrics,
            contributions=dict(contributions),
            because=tuple(
                forecast.describe(metric, prediction.horizon) for metric in largest_contributions(contributions)
            ),
        )
        for prediction, contributions, serving in parts
    )


def largest_contributions(contributions: Mapping[str, float]) -> tuple[str, ...]:
    """Return the metrics to explain, by descending absolute contribution.

    At most EXPLAINED metrics are returned, each with an absolute contribution of at least SMALLEST_EXPLAINED. If
    there is no such metric, the metric with the largest absolute contribution is returned.
    """
    ordered = sorted(contributions, key=lambda metric: -abs(contributions[metric]))
    explained = [metric for metric in ordered[:EXPLAINED] if abs(contributions[metric]) >= SMALLEST_EXPLAINED]
    return tuple(explained or ordered[:1])

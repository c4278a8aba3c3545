"""Metrics of predictions: probabilities, warnings, attributions and live scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import Metric

from model.forecast.online.decisions import FALLBACK_BASELINES
from monitor.exporter.family_builders import counter, gauge, horizon_gauge, labelled_gauge
from monitor.inference.forecast import Forecast
from monitor.queries.scores import HorizonScore
from monitor.state import LiveState
from monitor.stores import is_warning
from monitor.system.formatting import format_duration

PREDICTORS = ("model", *FALLBACK_BASELINES)


def high_load_metrics(live: LiveState) -> Iterator[Metric]:
    """Yield the present high-load state, unless it is unknown."""
    if live.high_load is not None:
        yield gauge(
            "high_load_active",
            "High-load state: 1 while a high-load rule has held for the configured time, else 0.",
            live.high_load,
        )


def prediction_metrics(live: LiveState) -> Iterator[Metric]:
    """Yield the number of predictions and the newest ones; without a model only the number."""
    yield counter(
        "predictions",
        "Number of times that predictions were made since the start of the daemon.",
        live.predictions_total,
    )
    if live.forecast is not None:
        yield from _forecast_metrics(live.forecast)


def _forecast_metrics(forecast: Forecast) -> Iterator[Metric]:
    predictions = forecast.predictions
    yield horizon_gauge(
        "high_load_probability",
        "Calibrated probability, from 0 to 1, that high load occurs within the horizon.",
        [(p.horizon, p.probability) for p in predictions],
    )
    yield horizon_gauge(
        "high_load_baseline_probability",
        "Base rate from 0 to 1: frequency of high load within the horizon in the training data.",
        [(p.horizon, p.baseline_probability) for p in predictions],
    )
    yield horizon_gauge(
        "high_load_warning",
        "Warning state: 1 while the probability reaches the warning threshold, else 0.",
        [(p.horizon, is_warning(p)) for p in predictions],
    )
    yield horizon_gauge(
        "high_load_warning_threshold",
        "Warning threshold as a probability; lower while a warning is active; 1 disables warnings.",
        [(p.horizon, p.threshold) for p in predictions],
    )
    horizons = [format_duration(p.horizon) for p in predictions]
    yield labelled_gauge(
        "high_load_served_by",
        "Predictor of the exposed probability: 1 for the model or the fallback that serves, 0 for the others.",
        ["horizon", "predictor"],
        [
            ((horizon, predictor), predictor == serving)
            for horizon, serving in zip(horizons, forecast.served_by, strict=True)
            for predictor in PREDICTORS
        ],
    )
    yield labelled_gauge(
        "high_load_contribution",
        "Contribution of each metric to the prediction in log-odds, relative to the base rate.",
        ["horizon", "metric"],
        [
            ((horizon, metric), value)
            for horizon, contributions in zip(horizons, forecast.contributions, strict=True)
            for metric, value in contributions.items()
        ],
    )
    yield gauge(
        "prediction_timestamp_seconds",
        "Time of the newest predictions, in seconds since the epoch.",
        predictions[0].at,
    )


LIVE_SCORES: dict[str, tuple[str, Callable[[HorizonScore], float | None]]] = {
    "live_brier_score": (
        "Brier score of the predictions of the last 7 days with a known outcome, from 0 (best) to 1.",
        lambda s: s.score.brier,
    ),
    "live_brier_skill": (
        "Brier skill of the predictions of the last 7 days over the base rate: 1 is perfect, 0 equals the base rate.",
        lambda s: s.score.skill,
    ),
    "live_precision": (
        "Precision of the warnings of the last 7 days: ratio of warnings that high load followed.",
        lambda s: s.score.precision,
    ),
    "live_recall": (
        "Recall of the warnings of the last 7 days: ratio of predictions before high load that were warnings.",
        lambda s: s.score.recall,
    ),
    "live_lead_time_seconds": (
        "Median lead time of the warnings of the last 7 days before high load, in seconds.",
        lambda s: s.lead_time,
    ),
    "live_predictions_scored": (
        "Number of predictions of the last 7 days with a known outcome.",
        lambda s: s.score.scored,
    ),
}
"""HELP text and value of each live score, by name of the metric."""


def score_metrics(scores: Sequence[HorizonScore]) -> Iterator[Metric]:
    """Yield the live scores; a score that no horizon has is left out."""
    for name, (description, value) in LIVE_SCORES.items():
        values = [(score.horizon, value(score)) for score in scores]
        if any(number is not None for _, number in values):
            yield horizon_gauge(name, description, values)

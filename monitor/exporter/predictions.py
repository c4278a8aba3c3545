"""Metrics of predictions: probabilities, warnings, attributions and live scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import Metric

from model.forecast.online.decisions import PREDICTORS
from model.serving import Serving
from monitor.exporter.family_builders import gauge, horizon_gauge, labelled_gauge
from monitor.inference.forecast import Forecast
from monitor.queries.scores import HorizonScore
from monitor.state import LiveState
from monitor.system.formatting import format_duration


def high_load_metrics(live: LiveState) -> Iterator[Metric]:
    """Yield the high-load state as 1 or 0; nothing if it is unknown."""
    if live.high_load is not None:
        yield gauge(
            "high_load_active",
            "High-load state: 1 from the onset until no high-load rule has held for the sustained time, else 0.",
            live.high_load,
        )


def forecast_metrics(forecast: Forecast) -> Iterator[Metric]:
    """Yield the newest predictions with their attributions, and their time."""
    predictions = forecast.predictions
    yield horizon_gauge(
        "high_load_probability",
        "Calibrated probability, from 0 to 1, that high load occurs, or continues if it is high, within the horizon.",
        [(p.horizon, p.probability) for p in predictions],
    )
    yield horizon_gauge(
        "high_load_baseline_probability",
        "Base rate from 0 to 1: frequency of high load within the horizon in the training data.",
        [(p.horizon, p.baseline_probability) for p in predictions],
    )
    yield horizon_gauge(
        "high_load_warning",
        "Warning state: 1 while a warning is active, else 0; always 0 during high load.",
        [(p.horizon, p.warning) for p in predictions],
    )
    yield horizon_gauge(
        "high_load_warning_threshold",
        "Warning threshold as a probability; lower while a warning is active; 1 disables warnings.",
        [(p.horizon, p.threshold) for p in predictions],
    )
    horizons = [format_duration(p.horizon) for p in predictions]
    yield labelled_gauge(
        "high_load_served_by",
        "Predictor of the exposed probability: 1 for the predictor that serves, 0 for the others.",
        ["horizon", "predictor", "reason", "metrics"],
        [
            (labels, value)
            for horizon, serving in zip(horizons, forecast.serving, strict=True)
            for labels, value in _serving_values(horizon, serving)
        ],
    )
    yield labelled_gauge(
        "input_out_of_range",
        "Input state: 1 while the metric is outside its training range, and the model predicts without it, else 0.",
        ["metric"],
        [((metric,), metric in forecast.inputs_out_of_range) for metric in forecast.inputs],
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


def _serving_values(horizon: str, serving: Serving) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield (labels, value) for each predictor; `reason` and `metrics` are empty for predictors that do not serve."""
    for predictor in PREDICTORS:
        if predictor == serving.predictor:
            yield (horizon, predictor, serving.reason or "", ",".join(serving.metrics)), True
        else:
            yield (horizon, predictor, "", ""), False


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
        "Precision of the warnings of the last 7 days: fraction of warnings that high load followed.",
        lambda s: s.score.precision,
    ),
    "live_recall": (
        "Recall of the warnings of the last 7 days: fraction of predictions before an onset that were warnings.",
        lambda s: s.score.recall,
    ),
    "live_lead_time_seconds": (
        "Median lead time of the warnings of the last 7 days before high load, in seconds.",
        lambda s: None if s.events.lead_time_quartiles is None else s.events.lead_time_quartiles[1],
    ),
    "live_predictions_scored": (
        "Number of predictions of the last 7 days with a known outcome.",
        lambda s: s.score.scored,
    ),
    "live_false_warnings_per_week": (
        "False warnings of the last 7 days per week: warnings within one horizon after which load was not high.",
        lambda s: s.events.false_warnings_per_week,
    ),
}
"""HELP text and accessor of each live score; keys are metric names without prefix."""


def score_metrics(scores: Sequence[HorizonScore]) -> Iterator[Metric]:
    """Yield the live scores; a score is left out if no horizon has a value."""
    for name, (description, value) in LIVE_SCORES.items():
        values = [(score.horizon, value(score)) for score in scores]
        if any(number is not None for _, number in values):
            yield horizon_gauge(name, description, values)
    if scores:
        yield labelled_gauge(
            "live_periods",
            "Number of high-load periods of the last 7 days, by outcome: announced by a warning, or missed.",
            ["horizon", "outcome"],
            [pair for score in scores for pair in _period_values(score)],
        )


def _period_values(score: HorizonScore) -> Iterator[tuple[tuple[str, ...], float]]:
    """Yield (labels, value) for each outcome of the high-load periods."""
    horizon = format_duration(score.horizon)
    yield (horizon, "announced"), score.events.announced
    yield (horizon, "missed"), score.events.periods - score.events.announced

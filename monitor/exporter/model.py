"""Metrics of the serving model: identity, holdout scores, blend weights, input drift."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from prometheus_client.core import Metric

from monitor.exporter.family_builders import gauge, horizon_gauge, labelled_gauge
from monitor.queries.overview import Overview
from monitor.system.formatting import format_duration
from monitor.training.report import MODEL_SCORES
from monitor.training.report_parts import HorizonReport, ScoreReport
from storage import ModelPart

HOLDOUT_SCORES: dict[str, tuple[str, Callable[[ScoreReport], float | None]]] = {
    "brier_score": ("Brier score, from 0 (best) to 1,", lambda score: score.brier),
    "brier_skill": ("Brier skill over the base rate, at most 1,", lambda score: score.brier_skill),
    "average_precision": ("Average precision, from 0 to 1,", lambda score: score.average_precision),
    "calibration_error": ("Expected calibration error, from 0 (best) to 1,", lambda score: score.calibration_error),
}
"""Start of the HELP text and accessor of each holdout score."""


def model_metrics(ready: bool, overview: Overview | None) -> Iterator[Metric]:
    """Yield the serving state; if a model serves, also its identity, training data and holdout scores.

    Args:
        ready: True if a model serves.
        overview: summary of the database; None before it was read.
    """
    yield gauge("model_ready", "Serving state: 1 while a model serves, else 0.", ready)
    if overview is None:
        return
    parts = [failed.part for failed in overview.quarantined_models]
    yield labelled_gauge(
        "models_quarantined",
        "Number of models that failed, and do not serve until an operator activates them.",
        ["part"],
        [((part,), parts.count(part)) for part in ModelPart],
    )
    model = overview.model
    if model is None:
        return
    report = model.report
    features = "" if report is None else str(report.features)
    yield labelled_gauge(
        "model_info",
        "ID, checksum and number of features of the serving model; always 1.",
        ["model_id", "sha256", "features"],
        [((str(model.id), model.sha256, features), 1)],
    )
    yield gauge(
        "model_prior",
        "Origin of the serving model: 1 for the pretrained model, 0 for a fitted or imported model.",
        model.pretrained,
    )
    yield gauge(
        "model_trained_timestamp_seconds",
        "Time at which the serving model was trained, in seconds since the epoch.",
        model.created_at,
    )
    yield gauge(
        "model_training_samples",
        "Number of samples in the training data of the serving model.",
        0 if report is None else report.samples,
    )
    if report is not None:
        yield from _holdout_metrics(report.horizons)


def _holdout_metrics(horizons: Sequence[HorizonReport]) -> Iterator[Metric]:
    """Yield the holdout scores and the blend weights of the serving model for each horizon."""
    scored = [horizon for horizon in horizons if MODEL_SCORES in horizon.scores]
    for name, (description, value) in HOLDOUT_SCORES.items():
        yield horizon_gauge(
            f"model_holdout_{name}",
            f"{description} of the serving model on its holdout.",
            [(report.horizon, value(report.scores[MODEL_SCORES])) for report in scored],
        )
    yield labelled_gauge(
        "model_share_ratio",
        "Blend weight of each expert of the serving model while load is not high, as ratios that sum to 1.",
        ["horizon", "expert"],
        [
            ((format_duration(report.horizon), expert), weight)
            for report in horizons
            if report.blend_weights is not None
            for expert, weight in asdict(report.blend_weights).items()
        ],
    )


def drift_metrics(overview: Overview) -> Iterator[Metric]:
    """Yield the population stability index of each metric: last day against the training data."""
    yield labelled_gauge(
        "input_drift",
        "Population stability index of a metric, last day against the training data; above 0.25 is a large drift.",
        ["metric"],
        [((name,), value) for name, value in overview.drift.items()],
    )

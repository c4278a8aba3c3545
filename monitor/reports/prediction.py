"""Prediction report: probabilities and the metrics that contributed most."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.documents.prediction import PredictionDocument, PredictionSummary, largest_contributions
from monitor.reports.blocks import Line, Report, Tone, Toned
from monitor.system.formatting import approximate_duration, format_percent

NEAR_WARNING = 0.5
"""Ratio of the threshold from which a probability is highlighted."""


def prediction_report(predictions: Sequence[PredictionDocument], note: str = "") -> Report:
    """Return the report of a prediction, one line per horizon, with a note below."""
    lines = tuple(_prediction(prediction) for prediction in predictions)
    return Report((*lines, note) if note else lines)


def probability_parts(prediction: PredictionSummary) -> tuple[str | Toned, ...]:
    """Return the parts of the line of one horizon; the tone shows how near the probability is to a warning."""
    tone: Tone = "caution" if prediction.probability >= NEAR_WARNING * prediction.threshold else "good"
    base_rate = format_percent(prediction.baseline_probability)
    scope = f" within {approximate_duration(prediction.horizon)} (base rate {base_rate})"
    probability = format_percent(prediction.probability)
    if not prediction.warning:
        return Toned(probability, tone), scope
    return Toned(probability, "bad"), scope, Toned("  WARNING", "bad")


def _prediction(prediction: PredictionDocument) -> Line:
    names = largest_contributions(prediction.contributions)
    sentences = [
        f"{sentence} ({prediction.contributions[name]:+.1f})"
        for name, sentence in zip(names, prediction.because, strict=True)
    ]
    fallback = ""
    if prediction.served_by != "model":
        fallback = f"from {prediction.served_by}, the fallback for the model; "
    parts = (*probability_parts(prediction), ": ", Toned(fallback, "caution"), "; ".join(sentences))
    return Line(parts)

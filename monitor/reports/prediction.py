"""Prediction report: probabilities and the metrics that contributed most."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.documents.prediction import PredictedEvent, PredictionDocument, PredictionSummary, largest_contributions
from monitor.reports.blocks import Block, Line, Report, Tone, Toned
from monitor.system.formatting import approximate_duration, format_percent, format_since

NEAR_WARNING = 0.5
"""Fraction of the warning threshold from which a probability is highlighted."""


def prediction_report(
    predictions: Sequence[PredictionDocument], note: str = "", capacity: Sequence[Block] = ()
) -> Report:
    """Return the report of a prediction: high load in progress, one line per horizon, the note, and capacity."""
    since = next((prediction.high_load_since for prediction in predictions), None)
    headline = () if since is None else (Line((high_load_text(since, predictions[0].at),)),)
    lines = tuple(_prediction(prediction) for prediction in predictions)
    return Report((*headline, *lines, *((note,) if note else ()), *capacity))


def high_load_text(since: float, now: float) -> Toned:
    """Return the headline of a high-load period, such as "high load since 20:42 UTC (5 min)".

    Args:
        since: start of the period in seconds since the epoch.
        now: seconds since the epoch.
    """
    return Toned(f"high load since {format_since(since, now)}", "bad")


def probability_parts(prediction: PredictionSummary) -> tuple[str | Toned, ...]:
    """Return the parts of a line: probability, predicted event with its horizon, and an active warning.

    The tone of the probability is "bad" during high load or a warning, "caution" near the warning threshold
    (NEAR_WARNING), else "good".
    """
    tone: Tone = "caution" if prediction.probability >= NEAR_WARNING * prediction.threshold else "good"
    base_rate = format_percent(prediction.baseline_probability)
    scope = f" within {approximate_duration(prediction.horizon)} (base rate {base_rate})"
    if prediction.event is PredictedEvent.CONTINUATION:
        scope = f" that it continues or returns within {approximate_duration(prediction.horizon)}"
        tone = "bad"
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
    serving = ""
    if prediction.serving_message:
        serving = f"served by {prediction.served_by} ({prediction.serving_message}); "
    parts = (*probability_parts(prediction), ": ", Toned(serving, "caution"), "; ".join(sentences))
    return Line(parts)

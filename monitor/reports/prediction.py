"""Prediction report: probabilities and the metrics that contributed most."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.documents.prediction import PredictedEvent, PredictionDocument, PredictionSummary, largest_contributions
from monitor.documents.status import StatusDocument
from monitor.reports.blocks import Block, Line, Report, Tone, Toned, labelled_line
from monitor.system.formatting import approximate_duration, format_percent, format_since, format_time

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


def prediction_lines(status: StatusDocument) -> list[Line]:
    """Return the lines of the newest predictions in a status, with their time if the daemon has stopped."""
    if status.predictions:
        lines = [labelled_line("prediction", *probability_parts(prediction)) for prediction in status.predictions]
        if not status.daemon_running:
            at = format_time(status.predictions[0].at)
            lines.append(labelled_line("", f"made {at}, before the daemon stopped"))
        return lines
    if status.model is None:
        return []
    reason = "none: the newest one is too old" if status.predictions_outdated else "none yet"
    return [labelled_line("prediction", reason)]

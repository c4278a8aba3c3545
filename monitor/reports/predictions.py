"""What is predicted and why, and how good the predictions were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from monitor.reports.blocks import Bar, Line, Report, Table, Tone, Toned, heading, skill
from monitor.stores import is_warning
from monitor.system.formatting import (
    approximate_duration,
    format_duration,
    format_number,
    format_percent,
    format_time,
)
from storage import Prediction

if TYPE_CHECKING:
    # of NumPy's weight, which `status` need not carry
    from monitor.inference.forecast import Forecast
    from monitor.queries.scores import HorizonScore

NEAR = 0.5
"""Share of its threshold from which on a probability is worth a look."""


def probability(prediction: Prediction) -> tuple[str | Toned, ...]:
    """One horizon in words, by how near the probability is to a warning."""
    tone: Tone | None = "caution" if prediction.probability >= NEAR * prediction.threshold else "good"
    said = f" within {approximate_duration(prediction.horizon)} (usually {prediction.baseline_probability:.0%})"
    if not is_warning(prediction):
        return Toned(f"{prediction.probability:.0%}", tone), said
    return Toned(f"{prediction.probability:.0%}", "bad"), said, Toned("  WARNING", "bad")


def forecast_report(forecast: Forecast, *, most: int = 4) -> Report:
    """Each horizon in a line, with what moved it most: shares of the log-odds, against those of what is usual."""
    lines = []
    for prediction, shares, by in zip(forecast.predictions, forecast.contributions, forecast.served_by, strict=True):
        why = "; ".join(
            f"{forecast.describe(group, prediction.horizon)} ({share:+.1f})"
            for group, share in _largest(shares, most)
        )
        instead = "" if by == "model" else f"said by {by}, which the model has fallen behind; "
        lines.append(Line((*probability(prediction), ": ", Toned(instead, "caution"), why)))
    return Report(tuple(lines))


def _largest(shares: dict[str, float], most: int) -> list[tuple[str, float]]:
    """Those worth a word."""
    ordered = sorted(shares.items(), key=lambda share: -abs(share[1]))
    return [(group, share) for group, share in ordered[:most] if abs(share) >= 0.05] or ordered[:1]


def forecast_document(forecast: Forecast) -> list[dict[str, Any]]:
    """The forecast as plain JSON data."""
    return [
        {
            "at": p.at,
            "horizon": p.horizon,
            "horizon_name": format_duration(p.horizon),
            "model_id": p.model_id,
            "probability": p.probability,
            "baseline_probability": p.baseline_probability,
            "threshold": p.threshold,
            "warning": is_warning(p),
            "served_by": by,
            "contributions": shares,
            "because": [forecast.describe(group, p.horizon) for group, _ in _largest(shares, 4)],
        }
        for p, shares, by in zip(forecast.predictions, forecast.contributions, forecast.served_by, strict=True)
    ]


def scores_report(scores: Sequence[HorizonScore], since: float) -> Report:
    """How good the predictions were, with the reliability table."""
    if not scores:
        waits = "each waits until its horizon has passed"
        return Report((f"no prediction made since {format_time(since)} has been scored yet: {waits}",))
    rows = [
        (
            format_duration(found.horizon),
            str(found.score.scored),
            str(found.score.unknown),
            format_percent(found.score.base_rate),
            format_number(found.score.brier, 4),
            skill(found.score.skill),
            skill(found.score.skill_over_persistence),
            skill(found.score.onset_skill),
            format_percent(found.score.precision),
            format_percent(found.score.recall),
            f"{found.warned_periods} of {found.periods}",
            "-" if found.lead_time is None else approximate_duration(found.lead_time),
        )
        for found in scores
    ]
    header = (
        "horizon", "scored", "unknown", "came", "Brier", "skill", "over persistence", "onset skill", "precision",
        "recall", "warned of", "before",
    )  # fmt: skip
    head = heading(f"predictions made since {format_time(since)}, against what happened")
    reliable = (block for found in scores if found.score.scored for block in _reliability(found))
    return Report((head, Table(header, rows), *reliable))


def _reliability(found: HorizonScore) -> tuple[str | Line | Table, ...]:
    off = format_number(found.score.calibration_error)
    rows = [
        (format_percent(row.predicted), format_percent(row.observed), str(row.scored), Bar(row.observed))
        for row in found.score.reliability
    ]
    head = heading(f"{format_duration(found.horizon)}: what was said and what came (off by {off} on average)")
    return "", head, Table(("said", "came", "predictions", ""), rows)

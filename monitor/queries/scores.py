"""Scores of the stored predictions, from the sums that the scoring job keeps."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from statistics import median
from typing import Any

from model.forecast.score_totals import LiveScore, ScoreTotals, live_score
from model.units import DAY, HOUR
from monitor.stores import Stores
from monitor.system.formatting import format_duration

SCORE_WINDOW = 7 * DAY
"""Seconds over which scores are reported by default."""


@dataclass(frozen=True)
class HorizonScore:
    """Predictions for one horizon against their outcomes.

    Attributes:
        horizon: seconds.
        score: scores of the predictions.
        periods: number of high-load periods that started.
        warned_periods: number of high-load periods with a warning before their onset.
        lead_time: median time from the first warning to the onset, in seconds; None without a warned period.
    """

    horizon: float
    score: LiveScore
    periods: int
    warned_periods: int
    lead_time: float | None


def read_scores(stores: Stores, since: float) -> tuple[HorizonScore, ...]:
    """Return the scores of the predictions made since a time, by horizon; hours count as a whole.

    Args:
        stores: repositories.
        since: seconds since the epoch.

    Raises:
        StorageError: the database cannot be read.
    """
    scores = []
    for horizon in sorted(stores.scores.scored_until()):
        rows = stores.scores.totals_since(horizon, since - since % HOUR)
        score = live_score(ScoreTotals(**asdict(row)) for row in rows)
        if score.scored or score.unknown:
            lead_times = stores.scores.lead_times(horizon, since)
            warned = [lead_time for lead_time in lead_times if lead_time is not None]
            lead_time = median(warned) if warned else None
            scores.append(HorizonScore(horizon, score, len(lead_times), len(warned), lead_time))
    return tuple(scores)


def scores_document(scores: tuple[HorizonScore, ...]) -> list[dict[str, Any]]:
    """Return the scores as plain JSON data; figures that cannot be computed are null."""
    return [
        {
            "horizon": row.horizon,
            "horizon_name": format_duration(row.horizon),
            **{f.name: getattr(row.score, f.name) for f in fields(LiveScore) if f.name != "reliability"},
            "stretches": row.periods,
            "stretches_warned": row.warned_periods,
            "lead_time": row.lead_time,
            "reliability": [
                {"scored": part.scored, "said": part.predicted, "came": part.observed}
                for part in row.score.reliability
            ],
        }
        for row in scores
    ]

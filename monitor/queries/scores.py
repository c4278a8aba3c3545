"""Live scores: scores of stored predictions, computed from the sums of the scoring job."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median

from model.forecast.score_totals import LiveScore, ScoreTotals, live_score
from model.units import DAY, HOUR
from storage import ScoreRepository

SCORE_WINDOW = 7 * DAY
"""Default length in seconds of the period whose predictions are scored."""


@dataclass(frozen=True)
class HorizonScore:
    """Scores of the predictions for one horizon.

    Attributes:
        horizon: horizon in seconds.
        score: scores over all predictions.
        periods: number of high-load periods that started.
        warned_periods: number of high-load periods with a warning before their onset.
        lead_time: median time from the first warning to the onset, in seconds; None if no period was warned.
    """

    horizon: float
    score: LiveScore
    periods: int
    warned_periods: int
    lead_time: float | None


def read_scores(repository: ScoreRepository, since: float) -> tuple[HorizonScore, ...]:
    """Return the scores of the predictions made since a time, for each horizon with scored predictions.

    Args:
        repository: scores of live or of replayed predictions.
        since: seconds since the epoch; rounded down to a whole hour, except for high-load periods and lead times.

    Raises:
        StorageError: the database cannot be read.
    """
    scores = []
    for horizon in repository.horizons():
        rows = repository.totals_since(horizon, since - since % HOUR)
        score = live_score(ScoreTotals(**asdict(row)) for row in rows)
        if score.scored or score.unknown:
            lead_times = repository.lead_times(horizon, since)
            warned = [lead_time for lead_time in lead_times if lead_time is not None]
            lead_time = median(warned) if warned else None
            scores.append(HorizonScore(horizon, score, len(lead_times), len(warned), lead_time))
    return tuple(scores)

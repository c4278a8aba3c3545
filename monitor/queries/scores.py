"""Live scores: scores of stored predictions, computed from the sums of the scoring job."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from model.forecast.events import EventScore
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
        events: high-load periods with the lead times of their warnings, and false warnings.
    """

    horizon: float
    score: LiveScore
    events: EventScore


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
        rows = [ScoreTotals(**asdict(row)) for row in repository.totals_since(horizon, since - since % HOUR)]
        score = live_score(rows)
        if score.scored or score.unknown:
            onsets = repository.onsets_since(horizon, since)
            false_warnings = _known_sum(rows, "false_warnings")
            events = EventScore(
                onsets=tuple(onset.at for onset in onsets),
                lead_times=tuple(onset.lead_time for onset in onsets),
                false_warnings=None if false_warnings is None else int(false_warnings),
                seconds=_known_sum(rows, "observed_seconds"),
            )
            scores.append(HorizonScore(horizon, score, events))
    return tuple(scores)


def _known_sum(rows: Iterable[ScoreTotals], name: str) -> float | None:
    """Return the sum over totals of the field `name`; None if it is None in one of them."""
    values = [getattr(row, name) for row in rows]
    return None if None in values else sum(values)

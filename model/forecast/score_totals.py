"""Predictions against what happened, as sums: small enough to keep for months, exact enough for every score.

Brier scores, skills, precision, recall and the reliability table all come from sums over the predictions of an hour
that said about the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from model.array_types import Bools, Floats
from model.units import HOUR

DECILES = 10


@dataclass(frozen=True)
class ScoreTotals:
    """The predictions of one hour whose probability lay in one tenth, made while load was high or while it was not.

    `hour` is the start of the hour in seconds, `decile` 0 to 9. `unknown` predictions have no known outcome and count
    in nothing else. `said` is the sum of the probabilities; `..._squared` are sums of squares, `..._right` sums over
    those that high load followed; `base_...` are of the base rates beside them.
    """

    hour: float
    high: bool
    decile: int
    unknown: int
    scored: int
    events: int
    warned: int
    warned_events: int
    said: float
    said_squared: float
    said_right: float
    base_squared: float
    base_right: float


_SUMS = tuple(field.name for field in fields(ScoreTotals))[3:]


def sum_scores(at: Floats, p: Floats, base: Floats, warned: Bools, high: Bools, y: Floats) -> list[ScoreTotals]:
    """Sums up predictions for one horizon, all arguments (rows,).

    Args:
        at: when each was made, in seconds.
        p: the probability.
        base: the base rate beside it.
        warned: whether it was a warning.
        high: whether load was high at that moment.
        y: 1 where high load followed, 0 where not, NaN unknown.
    """
    if not len(at):
        return []
    hour = np.floor(at / HOUR).astype(np.int64)
    decile = np.minimum((p * DECILES).astype(np.int64), DECILES - 1)
    keys, which = np.unique(np.stack([hour, high.astype(np.int64), decile], axis=1), axis=0, return_inverse=True)
    known, event = ~np.isnan(y), y == 1
    columns = (
        ~known, known, event, warned & known, warned & event,
        p * known, p * p * known, p * event, base * base * known, base * event,
    )  # fmt: skip
    sums = [np.bincount(which.ravel(), weights=np.asarray(column, float), minlength=len(keys)) for column in columns]
    counts, totals = sums[:5], sums[5:]
    return [
        ScoreTotals(float(h) * HOUR, bool(up), int(d), *(int(c[i]) for c in counts), *(float(t[i]) for t in totals))
        for i, (h, up, d) in enumerate(keys.tolist())
    ]


@dataclass(frozen=True)
class Reliability:
    """Predictions that said about the same: how many, what they said on average, and how often it came."""

    scored: int
    said: float
    came: float


@dataclass(frozen=True)
class LiveScore:
    """Predictions for one horizon against what happened. A figure that cannot be computed is None.

    `skill` is over the base rate that stood beside each prediction; `skill_over_persistence` over always saying how
    often high load followed a moment in the same state, at its best in hindsight; `onset_skill` is `skill` over the
    moments at which load was not high. Precision and recall are of the warnings, by predictions.
    """

    scored: int
    unknown: int
    base_rate: float | None
    brier: float | None
    skill: float | None
    skill_over_persistence: float | None
    onset_skill: float | None
    precision: float | None
    recall: float | None
    calibration_error: float | None
    reliability: tuple[Reliability, ...]


def live_score(tallies: Iterable[ScoreTotals]) -> LiveScore:
    """All scores of some tallies of one horizon."""
    rows = list(tallies)
    total = {name: sum(getattr(row, name) for row in rows) for name in _SUMS}
    n, events = total["scored"], total["events"]
    own, base = _squared(rows, "said"), _squared(rows, "base")
    calm = [row for row in rows if not row.high]
    by_state = [[row for row in rows if row.high == state] for state in (False, True)]
    table = tuple(_reliability(rows, decile) for decile in sorted({row.decile for row in rows if row.scored}))
    return LiveScore(
        scored=n,
        unknown=total["unknown"],
        base_rate=_ratio(events, n),
        brier=_ratio(own, n),
        skill=_skill(own, base),
        skill_over_persistence=_skill(own, sum(_spread(part) for part in by_state)),
        onset_skill=_skill(_squared(calm, "said"), _squared(calm, "base")),
        precision=_ratio(total["warned_events"], total["warned"]),
        recall=_ratio(total["warned_events"], events),
        calibration_error=_ratio(sum(abs(row.said - row.came) * row.scored for row in table), n),
        reliability=table,
    )


def _reliability(rows: list[ScoreTotals], decile: int) -> Reliability:
    here = [row for row in rows if row.decile == decile]
    count = sum(row.scored for row in here)
    return Reliability(count, sum(row.said for row in here) / count, sum(row.events for row in here) / count)


def _spread(rows: list[ScoreTotals]) -> float:
    """What is left by always saying the share that came true: p (1 - p) a prediction."""
    count, events = sum(row.scored for row in rows), sum(row.events for row in rows)
    return events * (1 - events / count) if count else 0.0


def _squared(rows: list[ScoreTotals], what: str) -> float:
    """The sum of (p - y)^2 = p^2 - 2 p y + y, since y is 0 or 1."""
    terms = (getattr(row, f"{what}_squared") - 2 * getattr(row, f"{what}_right") + row.events for row in rows)
    return float(sum(terms))


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _skill(own: float, reference: float) -> float | None:
    # less than a rounding error: nothing happened, and nothing else was said
    return 1 - own / reference if reference > 1e-9 else None

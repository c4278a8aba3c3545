"""Score totals: hourly counts and sums from which all prediction scores are computed.

Let p be the probability, b the base rate stored with it and y the outcome. The totals are kept per hour, load state
and probability bin of width 0.1. Sums of p, p^2, p y, b^2 and b y, with the number of events, yield Brier scores,
skill scores and the reliability table. Counts of warnings, true warnings and events yield precision and recall. The
totals are small enough to be kept for months.
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
    """Counts and sums over the predictions of one hour, one load state and one probability bin of width 0.1.

    Attributes:
        hour: start of the hour in seconds since the epoch.
        high_load: True for predictions made during high load.
        decile: number of the bin: 0 for probabilities below 0.1, up to 9 for probabilities of at least 0.9.
        unknown: number of predictions with an unknown outcome, which no other field includes.
        scored: number of predictions with a known outcome.
        events: sum of y.
        warnings: number of predictions during an active warning.
        true_warnings: number of predictions during an active warning that were followed by high load.
        probability_sum: sum of p.
        probability_squared_sum: sum of p^2.
        probability_event_sum: sum of p y.
        baseline_squared_sum: sum of b^2.
        baseline_event_sum: sum of b y.
        false_warnings: number of predictions that end a false warning; None if an earlier release did not count them.
        observed_seconds: seconds between these predictions and the ones before them, without gaps and unknown
            outcomes; None as for `false_warnings`.
    """

    hour: float
    high_load: bool
    decile: int
    unknown: int
    scored: int
    events: int
    warnings: int
    true_warnings: int
    probability_sum: float
    probability_squared_sum: float
    probability_event_sum: float
    baseline_squared_sum: float
    baseline_event_sum: float
    false_warnings: int | None = None
    observed_seconds: float | None = None


_SUMS = tuple(field.name for field in fields(ScoreTotals))[3:]


@dataclass(frozen=True)
class ScoredPredictions:
    """Predictions for one horizon, with their outcomes.

    Attributes:
        at: (rows,) time of each prediction, in seconds since the epoch.
        probability: (rows,) predicted probability.
        baseline: (rows,) base rate stored with each prediction.
        warning: (rows,) True while a warning is active.
        high_load: (rows,) True for predictions made during high load.
        outcome: (rows,) 1 if high load followed, 0 if not, NaN if unknown.
        false_warning: (rows,) True for predictions that end a false warning.
        observed: (rows,) seconds since the prediction before; 0 after a gap and for an unknown outcome.
    """

    at: Floats
    probability: Floats
    baseline: Floats
    warning: Bools
    high_load: Bools
    outcome: Floats
    false_warning: Bools
    observed: Floats


def total_scores(predictions: ScoredPredictions) -> list[ScoreTotals]:
    """Return the totals for each combination of hour, load state and probability bin that has predictions."""
    if not len(predictions.at):
        return []
    p = predictions.probability
    b = predictions.baseline
    hour = np.floor(predictions.at / HOUR).astype(np.int64)
    decile = np.minimum((p * DECILES).astype(np.int64), DECILES - 1)
    keys = np.stack([hour, predictions.high_load.astype(np.int64), decile], axis=1)
    groups, inverse = np.unique(keys, axis=0, return_inverse=True)
    known = ~np.isnan(predictions.outcome)
    event = predictions.outcome == 1
    terms = {
        "unknown": ~known,
        "scored": known,
        "events": event,
        "warnings": predictions.warning & known,
        "true_warnings": predictions.warning & event,
        "probability_sum": p * known,
        "probability_squared_sum": p * p * known,
        "probability_event_sum": p * event,
        "baseline_squared_sum": b * b * known,
        "baseline_event_sum": b * event,
        "false_warnings": predictions.false_warning,
        "observed_seconds": predictions.observed,
    }
    sums = {
        name: np.bincount(inverse.ravel(), weights=np.asarray(term, float), minlength=len(groups))
        for name, term in terms.items()
    }
    counts = {"unknown", "scored", "events", "warnings", "true_warnings", "false_warnings"}
    totals = []
    for i, (group_hour, high, group_decile) in enumerate(groups.tolist()):
        values = {name: int(sums[name][i]) if name in counts else float(sums[name][i]) for name in _SUMS}
        key = {"hour": float(group_hour) * HOUR, "high_load": bool(high), "decile": int(group_decile)}
        totals.append(ScoreTotals(**key, **values))  # type: ignore[arg-type]
    return totals


@dataclass(frozen=True)
class ReliabilityBin:
    """Bin of the reliability table: mean probability and event rate in one probability interval of width 0.1.

    Attributes:
        scored: number of predictions with a known outcome.
        predicted: mean probability of the scored predictions.
        observed: event rate of the scored predictions.
    """

    scored: int
    predicted: float
    observed: float


@dataclass(frozen=True)
class LiveScore:
    """Scores of the predictions for one horizon; None for a score that cannot be computed.

    Attributes:
        scored: number of predictions with a known outcome.
        unknown: number of predictions with an unknown outcome.
        base_rate: event rate of the scored predictions.
        brier: Brier score.
        skill: Brier skill over the base rate stored with each prediction.
        skill_over_persistence: Brier skill over the event rate of the scored predictions in the same load state.
        onset_skill: `skill` of the predictions made while load was not high.
        precision: fraction of the predictions during an active warning that were followed by high load; predictions
            made during high load do not count.
        recall: fraction of the predictions followed by high load that were made during an active warning; predictions
            made during high load do not count.
        calibration_error: expected calibration error.
        reliability: non-empty bins in order of predicted probability.
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
    reliability: tuple[ReliabilityBin, ...]


def live_score(totals: Iterable[ScoreTotals]) -> LiveScore:
    """Return the scores over all predictions that are counted in the totals of one horizon."""
    rows = list(totals)
    n = _sum(rows, "scored")
    events = _sum(rows, "events")
    own = _squared_error(rows, "probability")
    baseline = _squared_error(rows, "baseline")
    calm = [row for row in rows if not row.high_load]
    high = [row for row in rows if row.high_load]
    table = _reliability_table(rows)
    return LiveScore(
        scored=n,
        unknown=_sum(rows, "unknown"),
        base_rate=_ratio(events, n),
        brier=_ratio(own, n),
        skill=_skill(own, baseline),
        skill_over_persistence=_skill(own, _rate_error(calm) + _rate_error(high)),
        onset_skill=_skill(_squared_error(calm, "probability"), _squared_error(calm, "baseline")),
        precision=_ratio(_sum(calm, "true_warnings"), _sum(calm, "warnings")),
        recall=_ratio(_sum(calm, "true_warnings"), _sum(calm, "events")),
        calibration_error=_ratio(_calibration_gap(table), n),
        reliability=table,
    )


def _sum(rows: list[ScoreTotals], name: str) -> int:
    """Return the sum over totals of the count in the field `name`."""
    return sum(getattr(row, name) for row in rows)


def _reliability_table(rows: list[ScoreTotals]) -> tuple[ReliabilityBin, ...]:
    """Return the bins with scored predictions, in increasing order of probability."""
    table = []
    for decile in range(DECILES):
        selected = [row for row in rows if row.decile == decile]
        count = sum(row.scored for row in selected)
        if count:
            predicted = sum(row.probability_sum for row in selected) / count
            observed = sum(row.events for row in selected) / count
            table.append(ReliabilityBin(scored=count, predicted=predicted, observed=observed))
    return tuple(table)


def _calibration_gap(table: tuple[ReliabilityBin, ...]) -> float:
    """Return the sum over bins of |predicted - observed| times the number of scored predictions."""
    return sum(abs(row.predicted - row.observed) * row.scored for row in table)


def _rate_error(rows: list[ScoreTotals]) -> float:
    """Return the sum of squared errors, n r (1 - r), if the event rate r were predicted for all n rows."""
    count = sum(row.scored for row in rows)
    events = sum(row.events for row in rows)
    return events * (1 - events / count) if count else 0.0


def _squared_error(rows: list[ScoreTotals], predictor: str) -> float:
    """Return the sum of squared errors, (p - y)^2 = p^2 - 2 p y + y because y is 0 or 1.

    Args:
        rows: totals to add up.
        predictor: source of p: "probability" (the model) or "baseline" (the base rate).
    """
    squared = f"{predictor}_squared_sum"
    product = f"{predictor}_event_sum"
    return float(sum(getattr(row, squared) - 2 * getattr(row, product) + row.events for row in rows))


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _skill(own: float, reference: float) -> float | None:
    # Below 1e-9 the reference error is rounding only: no event occurred, and the reference predicted none.
    return 1 - own / reference if reference > 1e-9 else None

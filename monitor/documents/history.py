"""History document: load, predictions and anomalies in time slots of equal length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.documents.anomalies import AnomalyDocument, anomaly_document
from monitor.system.formatting import format_duration
from storage import SAMPLE_FIELDS

if TYPE_CHECKING:
    from model.array_types import Floats
    from monitor.queries.history import RecentHistory

DIGITS = 4
"""Decimals to which values are rounded; charts show fewer."""

Series = tuple[float | None, ...]
"""One value per slot; None for a slot without values."""


@dataclass(frozen=True)
class PredictionHistory:
    """Predictions for one horizon.

    Attributes:
        horizon: seconds.
        horizon_name: the horizon as in the configuration.
        probability: largest probability in each slot.
        baseline_probability: mean base rate in each slot.
        threshold: smallest warning threshold in each slot.
        warning: True for a slot with a warning; None for a slot without predictions.
        replayed: True for a slot whose predictions were all replayed over stored history after a training run; None
            for a slot without predictions.
    """

    horizon: float
    horizon_name: str
    probability: Series
    baseline_probability: Series
    threshold: Series
    warning: tuple[bool | None, ...]
    replayed: tuple[bool | None, ...]


@dataclass(frozen=True)
class HistoryDocument:
    """Recent history in slots of equal length, as served by /api/v1/history.

    Attributes:
        from_: start of the first slot in seconds since the epoch.
        until: end of the last slot in seconds since the epoch.
        step: length of a slot in seconds.
        at: start of each slot in seconds since the epoch.
        load: mean of each metric in each slot.
        high: (first, last) sample time of each high-load period in seconds since the epoch.
        rules: high-load rules, each a mapping of metrics to bounds.
        predictions: predictions for each horizon.
        anomaly_score: largest anomaly score in each slot.
        anomaly_evidence_ratio: largest ratio of evidence to alarm threshold in each slot.
        anomalies: anomaly events that overlap the slots.
    """

    from_: float
    until: float
    step: float
    at: tuple[float, ...]
    load: dict[str, Series]
    high: tuple[tuple[float, float], ...]
    rules: tuple[dict[str, float | str], ...]
    predictions: tuple[PredictionHistory, ...]
    anomaly_score: Series
    anomaly_evidence_ratio: Series
    anomalies: tuple[AnomalyDocument, ...]


def history_document(history: RecentHistory) -> HistoryDocument:
    """Convert the recent history to its JSON document."""
    score, evidence_ratio = _columns(history.anomaly_scores)
    return HistoryDocument(
        from_=history.start,
        until=history.start + history.step * history.count,
        step=history.step,
        at=tuple(history.start + history.step * number for number in range(history.count)),
        load=dict(zip(SAMPLE_FIELDS, _columns(history.load), strict=True)),
        high=history.high_load_periods,
        rules=tuple(dict(rule) for rule in history.rules),
        predictions=tuple(_prediction_history(horizon, table) for horizon, table in history.predictions.items()),
        anomaly_score=score,
        anomaly_evidence_ratio=evidence_ratio,
        anomalies=tuple(map(anomaly_document, history.anomalies)),
    )


def _prediction_history(horizon: float, table: Floats) -> PredictionHistory:
    """Convert the predictions for one horizon to their JSON document.

    Args:
        horizon: seconds.
        table: (slots, 5) probability, baseline probability, threshold, 1 for a warning, 1 for a replayed slot.
    """
    probability, baseline, threshold, warning, replayed = _columns(table)
    return PredictionHistory(
        horizon=horizon,
        horizon_name=format_duration(horizon),
        probability=probability,
        baseline_probability=baseline,
        threshold=threshold,
        warning=tuple(None if value is None else bool(value) for value in warning),
        replayed=tuple(None if value is None else bool(value) for value in replayed),
    )


def _columns(table: Floats) -> Sequence[Series]:
    """Convert a table (slots, columns) to one series per column, rounded to DIGITS; NaN becomes None."""
    # A comparison with itself finds NaN without NumPy.
    return [tuple(round(v, DIGITS) if v == v else None for v in column) for column in table.T.tolist()]  # noqa: PLR0124

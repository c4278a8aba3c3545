"""Backtest document: training runs, scores and anomaly events."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import SkipReason
from model.training.refusal import ComparisonSkip, RefusalReason
from monitor.documents.scores import ScorecardDocument, scorecard_document
from monitor.documents.traces import TraceCountsDocument, trace_counts_document
from monitor.training.report_builder import finite_or_none, score_report
from monitor.training.report_parts import ScoreReport

if TYPE_CHECKING:
    from model.anomaly.backtest import AnomalyBacktest
    from model.anomaly.events import AnomalyEvent
    from model.forecast.metrics import Score
    from model.training.backtest_result import BacktestResult
    from monitor.sampling.trace_reader import Trace


@dataclass(frozen=True)
class BacktestEvent:
    """Anomaly event of a backtest.

    Attributes:
        started_at: seconds since the epoch.
        ended_at: seconds since the epoch.
        channel: kind of evidence that started the event.
        peak: largest anomaly score, 0 to 1.
        peak_at: time of the largest score, in seconds since the epoch.
        threshold_ratio: evidence at `peak_at` divided by the alarm threshold.
        contributions: contribution of each metric at `peak_at`; the contributions sum to 1.
    """

    started_at: float
    ended_at: float
    channel: str
    peak: float
    peak_at: float
    threshold_ratio: float
    contributions: dict[str, float]


@dataclass(frozen=True)
class BacktestAnomalies:
    """Anomaly events of a backtest, with the length of the replayed part.

    Attributes:
        days: length of the replayed part in days.
        events: anomaly events.
    """

    days: float
    events: tuple[BacktestEvent, ...]


@dataclass(frozen=True)
class BacktestAttempt:
    """One training run of a backtest.

    Attributes:
        at: seconds since the epoch.
        refusal: reason why the model was not promoted; empty if it was promoted.
        by_gate: True if the gate refused the candidate.
        reason: code of the refusal; None after a promotion and for a training run that diverged.
        comparison_skip: reason why the candidate was not compared with the serving model; None if it was compared,
            or if there was no candidate or no serving model.
    """

    at: float
    refusal: str
    by_gate: bool
    reason: RefusalReason | SkipReason | None = None
    comparison_skip: ComparisonSkip | None = None


@dataclass(frozen=True)
class BacktestHorizon:
    """Scores of a backtest for one horizon.

    Attributes:
        horizon: seconds.
        base_rate: fraction of the rows before the replayed part that were followed by high load; None if unknown.
        predicted_ratio: fraction of the replayed rows that have a prediction.
        events: number of scored rows that were followed by high load; the scores are inconclusive if it is 0.
        all: scores of each predictor on all scored rows.
        onset: scores of each predictor on the rows at which load was not high.
    """

    horizon: float
    base_rate: float | None
    predicted_ratio: float
    events: int
    all: dict[str, ScoreReport]
    onset: dict[str, ScoreReport]


@dataclass(frozen=True)
class BacktestDocument:
    """Result of `monitor backtest` for one trace.

    Attributes:
        file: path of the trace.
        trace: numbers of rows and cells of the trace.
        until: start of the replayed part in seconds since the epoch.
        rows: number of replayed rows.
        anomalies: anomaly events; None if detection is disabled, or the history is too short for a detector.
        attempts: training runs, in order.
        horizons: scores for each horizon.
        scorecard: event scorecard of the replayed part.
    """

    file: str
    trace: TraceCountsDocument
    until: float
    rows: int
    anomalies: BacktestAnomalies | None
    attempts: tuple[BacktestAttempt, ...]
    horizons: tuple[BacktestHorizon, ...]
    scorecard: ScorecardDocument


def backtest_document(
    path: Path, trace: Trace, result: BacktestResult, anomalies: AnomalyBacktest | None
) -> BacktestDocument:
    """Convert the results of a backtest to their JSON document; `anomalies` is None if no detector was trained."""
    all_scores = result.scores(onset=False)
    onset_scores = result.scores(onset=True)
    horizons = tuple(
        BacktestHorizon(
            horizon=horizon,
            base_rate=finite_or_none(float(result.base_rates[i])),
            predicted_ratio=sum(not math.isnan(p) for p in result.probabilities[:, i].tolist()) / len(result.times),
            events=_events(result.labels[:, i].tolist(), result.probabilities[:, i].tolist()),
            all=_scores(all_scores[i]),
            onset=_scores(onset_scores[i]),
        )
        for i, horizon in enumerate(result.horizons)
    )
    return BacktestDocument(
        file=str(path),
        trace=trace_counts_document(trace.counts),
        until=float(result.times[0]),
        rows=len(result.times),
        anomalies=None
        if anomalies is None
        else BacktestAnomalies(days=anomalies.days, events=tuple(map(_event, anomalies.events))),
        attempts=tuple(
            BacktestAttempt(
                at=attempt.at,
                refusal=attempt.refusal,
                by_gate=attempt.by_gate,
                reason=attempt.reason,
                comparison_skip=attempt.comparison_skip,
            )
            for attempt in result.attempts
        ),
        horizons=horizons,
        scorecard=scorecard_document(result.scorecard(), float(result.times[0])),
    )


def _events(labels: Sequence[float], probabilities: Sequence[float]) -> int:
    """Return the number of rows with a prediction that were followed by high load."""
    rows = zip(labels, probabilities, strict=True)
    return sum(label == 1 and not math.isnan(probability) for label, probability in rows)


def _event(event: AnomalyEvent) -> BacktestEvent:
    return BacktestEvent(
        started_at=event.started_at,
        ended_at=event.ended_at,
        channel=event.channel,
        peak=event.peak,
        peak_at=event.peak_at,
        threshold_ratio=event.threshold_ratio,
        contributions=event.contributions,
    )


def _scores(scores: Mapping[str, Score]) -> dict[str, ScoreReport]:
    return {name: score_report(score) for name, score in scores.items()}

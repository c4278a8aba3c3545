"""Score documents: predictions compared with outcomes."""

from __future__ import annotations

from dataclasses import dataclass

from model.forecast.events import MIN_PERIODS, EventScore, HorizonScorecard, Scorecard
from monitor.documents.anomalies import AnomalyCountDocument, WarningDocument
from monitor.queries.capacity import MIN_SCORED, CapacityScore
from monitor.queries.scores import HorizonScore
from monitor.system.formatting import format_duration


@dataclass(frozen=True)
class ReliabilityDocument:
    """One bin of a reliability table: predictions of similar probability.

    Attributes:
        scored: number of predictions.
        predicted: mean probability.
        observed: fraction of the predictions that were followed by high load.
    """

    scored: int
    predicted: float
    observed: float


@dataclass(frozen=True)
class HorizonScoreDocument:
    """Scores of the predictions for one horizon; None for a score that cannot be computed.

    Attributes:
        horizon: seconds.
        horizon_name: the horizon as in the configuration.
        scored: number of predictions with a known outcome.
        unknown: number of predictions whose outcome is unknown because of a gap.
        base_rate: fraction of the scored predictions that were followed by high load.
        brier: Brier score.
        skill: Brier skill over the base rate of the training data.
        skill_over_persistence: Brier skill over persistence, which predicts the event rate of the load state at
            prediction time.
        onset_skill: Brier skill of the predictions made while load was not high.
        precision: fraction of the predictions during an active warning that were followed by high load; predictions
            made during high load do not count.
        recall: fraction of the predictions followed by high load that were made during an active warning; predictions
            made during high load do not count.
        calibration_error: expected calibration error.
        high_load_periods: number of high-load periods that started.
        warned_periods: number of high-load periods with a warning before their onset.
        lead_time: median time from the first warning to the onset, in seconds.
        reliability: bins of the reliability table.
    """

    horizon: float
    horizon_name: str
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
    high_load_periods: int
    warned_periods: int
    lead_time: float | None
    reliability: tuple[ReliabilityDocument, ...]


@dataclass(frozen=True)
class EventScoreDocument:
    """Warnings of one predictor, matched to the high-load periods; None for a score that cannot be computed.

    Attributes:
        predictor: "monitor", or the name of a baseline: "static threshold" (on the load index), "predict_linear" (of
            the load index) or "persistence" (high load returns soon after high load).
        threshold: score at which a baseline warns, chosen for at most as many false warnings as monitor had: load
            index, extrapolated load index, or minus the seconds since the last high load. None for monitor.
        periods: number of high-load periods with predictions within one horizon before their onset.
        announced: number of periods with an active warning within one horizon before their onset.
        lead_time: median time from the first such warning to the onset, in seconds.
        lead_time_quartiles: lower and upper quartile of this time, in seconds.
        false_warnings: number of warnings within one horizon after which load was not high; warnings less than one
            horizon apart count once.
        false_warnings_per_week: the same per week of predictions with a known outcome.
    """

    predictor: str
    threshold: float | None
    periods: int
    announced: int
    lead_time: float | None
    lead_time_quartiles: tuple[float, float] | None
    false_warnings: int | None
    false_warnings_per_week: float | None


@dataclass(frozen=True)
class HorizonScorecardDocument:
    """Event scores for one horizon.

    Attributes:
        horizon: seconds.
        horizon_name: the horizon as in the configuration.
        enough_periods: True if there were at least `periods_needed` high-load periods.
        scores: scores of monitor, then of the baselines if there is enough data.
    """

    horizon: float
    horizon_name: str
    enough_periods: bool
    scores: tuple[EventScoreDocument, ...]


@dataclass(frozen=True)
class ScorecardDocument:
    """Event scorecard: announced high-load periods, lead times and false warnings, next to baselines.

    Attributes:
        since: start of the scored period in seconds since the epoch.
        periods_needed: number of high-load periods that a comparison needs.
        any_horizon: periods announced by a warning of at least one horizon, with the longest lead time of each; false
            warnings are counted for each horizon only.
        horizons: scores for each horizon.
    """

    since: float
    periods_needed: int
    any_horizon: EventScoreDocument
    horizons: tuple[HorizonScorecardDocument, ...]


@dataclass(frozen=True)
class CapacityScoresDocument:
    """Scores of the predictions of full file systems and exhausted memory, next to baselines.

    Attributes:
        scores: scores of each kind of resource and predictor; empty before the first outcome.
        outcomes_needed: number of known outcomes that a score needs.
    """

    scores: tuple[CapacityScore, ...] = ()
    outcomes_needed: int = MIN_SCORED


@dataclass(frozen=True)
class ScoreReportDocument:
    """Scores of past predictions; result of `monitor report`.

    Attributes:
        since: start of the period in seconds since the epoch.
        horizons: scores of the live predictions for each horizon.
        replayed: scores of the replayed predictions for each horizon.
        anomalies: numbers of anomaly events of the last 30 days.
        warnings: warnings that started in the period and whose processes were recorded, newest first; at most 100.
        scorecard: event scorecard of the live predictions.
        replayed_scorecard: event scorecard of the replayed predictions, without baselines.
        capacity: scores of the predictions of exhausted capacity; None if it was not predicted in the period.
    """

    since: float
    horizons: tuple[HorizonScoreDocument, ...]
    replayed: tuple[HorizonScoreDocument, ...]
    anomalies: AnomalyCountDocument
    warnings: tuple[WarningDocument, ...]
    scorecard: ScorecardDocument
    replayed_scorecard: ScorecardDocument
    capacity: CapacityScoresDocument | None = None


def score_document(horizon: HorizonScore) -> HorizonScoreDocument:
    """Convert the scores of one horizon to their JSON document."""
    score = horizon.score
    quartiles = horizon.events.lead_time_quartiles
    reliability = tuple(ReliabilityDocument(row.scored, row.predicted, row.observed) for row in score.reliability)
    return HorizonScoreDocument(
        horizon=horizon.horizon,
        horizon_name=format_duration(horizon.horizon),
        scored=score.scored,
        unknown=score.unknown,
        base_rate=score.base_rate,
        brier=score.brier,
        skill=score.skill,
        skill_over_persistence=score.skill_over_persistence,
        onset_skill=score.onset_skill,
        precision=score.precision,
        recall=score.recall,
        calibration_error=score.calibration_error,
        high_load_periods=horizon.events.periods,
        warned_periods=horizon.events.announced,
        lead_time=None if quartiles is None else quartiles[1],
        reliability=reliability,
    )


def scorecard_document(scorecard: Scorecard, since: float) -> ScorecardDocument:
    """Convert a scorecard since a time, in seconds since the epoch, to its JSON document."""
    return ScorecardDocument(
        since=since,
        periods_needed=MIN_PERIODS,
        any_horizon=_event_score_document("monitor", scorecard.any_horizon),
        horizons=tuple(map(_horizon_document, scorecard.horizons)),
    )


def _horizon_document(horizon: HorizonScorecard) -> HorizonScorecardDocument:
    scores = {"monitor": horizon.model, **horizon.baselines}
    return HorizonScorecardDocument(
        horizon=horizon.horizon,
        horizon_name=format_duration(horizon.horizon),
        enough_periods=horizon.model.periods >= MIN_PERIODS,
        scores=tuple(_event_score_document(name, score) for name, score in scores.items()),
    )


def _event_score_document(predictor: str, score: EventScore) -> EventScoreDocument:
    quartiles = score.lead_time_quartiles
    return EventScoreDocument(
        predictor=predictor,
        threshold=score.threshold,
        periods=score.periods,
        announced=score.announced,
        lead_time=None if quartiles is None else quartiles[1],
        lead_time_quartiles=None if quartiles is None else (quartiles[0], quartiles[2]),
        false_warnings=score.false_warnings,
        false_warnings_per_week=score.false_warnings_per_week,
    )

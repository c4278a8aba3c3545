"""Score documents: predictions compared with outcomes."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.documents.anomalies import AnomalyCountDocument, WarningDocument
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
class ScoreReportDocument:
    """Scores of past predictions; result of `monitor report`.

    Attributes:
        since: start of the period in seconds since the epoch.
        horizons: scores of the live predictions for each horizon.
        replayed: scores of the replayed predictions for each horizon.
        anomalies: numbers of anomaly events of the last 30 days.
        warnings: warnings that started in the period and whose processes were recorded, newest first; at most 100.
    """

    since: float
    horizons: tuple[HorizonScoreDocument, ...]
    replayed: tuple[HorizonScoreDocument, ...]
    anomalies: AnomalyCountDocument
    warnings: tuple[WarningDocument, ...]


def score_document(horizon: HorizonScore) -> HorizonScoreDocument:
    """Convert the scores of one horizon to their JSON document."""
    score = horizon.score
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
        high_load_periods=horizon.periods,
        warned_periods=horizon.warned_periods,
        lead_time=horizon.lead_time,
        reliability=reliability,
    )

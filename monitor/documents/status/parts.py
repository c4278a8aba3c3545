"""Parts of the status document: history, retraining and anomaly detection."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.documents.anomalies import AnomalyDocument
from storage import TrainingOutcome


@dataclass(frozen=True)
class HistoryCoverage:
    """Length of the history, compared with what a training run needs.

    Attributes:
        covered_seconds: seconds covered by the stored samples of the last `training.history` seconds.
        needed_seconds: seconds that samples have to cover before the first training run.
    """

    covered_seconds: float
    needed_seconds: float


@dataclass(frozen=True)
class RetrainStatus:
    """State of scheduled retraining.

    Attributes:
        running: True during a training run.
        next_at: time of the next training run in seconds since the epoch; None before the first run, and while there
            is too little history.
        last_success_at: end of the last training run that promoted a model; None if there is none.
        runs: number of training runs by outcome.
    """

    running: bool
    next_at: float | None
    last_success_at: float | None
    runs: dict[TrainingOutcome, int]


@dataclass(frozen=True)
class DetectionStatus:
    """State of the anomaly detection.

    Attributes:
        detecting: True if a detector serves.
        waiting_for: reason why no detector serves; empty if one does.
        active: the event in progress; None if there is none.
        last_30_days: number of live events that started in the last 30 days.
        allowed_in_30_days: false-alarm budget, in alarms per 30 days.
        scores_from: time from which there are scores again after a gap; None if there are scores, or no sample is
            recent.
    """

    detecting: bool
    waiting_for: str
    active: AnomalyDocument | None
    last_30_days: int
    allowed_in_30_days: float
    scores_from: float | None = None

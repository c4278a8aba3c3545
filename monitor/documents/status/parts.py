"""Parts of the status document: history, retraining, anomaly detection and notification channels."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.documents.anomalies import AnomalyDocument
from monitor.queries.channels import ChannelOverview
from monitor.system.formatting import format_count, format_time
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


@dataclass(frozen=True)
class ChannelStatus:
    """State of one notification channel.

    Attributes:
        channel: name of the channel.
        kind: kind of the channel.
        pending: number of notifications that wait for their delivery.
        given_up: number of notifications that were given up or dropped in the last 7 days.
        failures: number of failed attempts since the last delivery.
        last_success_at: time of the last delivery in seconds since the epoch; None before it.
        last_failure_at: time of the last failed attempt in seconds since the epoch; None before it.
        last_error: cause of the last failure, without secrets; empty before it.
    """

    channel: str
    kind: str
    pending: int
    given_up: int
    failures: int
    last_success_at: float | None
    last_failure_at: float | None
    last_error: str


def channel_status(channel: ChannelOverview) -> ChannelStatus:
    """Convert the state of a channel to its JSON document."""
    health = channel.health
    return ChannelStatus(
        channel=health.channel,
        kind=channel.kind,
        pending=channel.pending,
        given_up=channel.given_up,
        failures=health.failures,
        last_success_at=health.last_success_at,
        last_failure_at=health.last_failure_at,
        last_error=health.last_error,
    )


def channel_problem(channel: ChannelStatus) -> str:
    """Return the problem of a channel in one sentence; empty if there is none."""
    parts = []
    if channel.failures:
        parts.append(f"{format_count(channel.failures, 'attempt')} failed since the last delivery")
        parts.append(f"last at {format_time(channel.last_failure_at)}: {channel.last_error}")
    if channel.given_up:
        parts.append(f"{format_count(channel.given_up, 'notification')} given up in 7 days")
    return "; ".join(parts)

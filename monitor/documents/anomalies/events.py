"""Anomaly event documents: JSON form of anomaly events and their counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from model.units import DAY
from storage import AnomalyRecord, Verdict

RECENT = 30 * DAY
"""Default length in seconds of the period whose events are listed and counted."""

NO_VERDICT = "none"
"""Key in `verdicts` of the number of events without a verdict."""


@dataclass(frozen=True)
class AnomalyDocument:
    """One anomaly event; an entry of `monitor anomalies list` and /api/v1/anomalies.

    Attributes:
        id: ID of the event.
        started_at: seconds since the epoch.
        ended_at: seconds since the epoch; None while the event is in progress.
        peak: largest anomaly score, 0 to 1.
        peak_at: time of the largest score, in seconds since the epoch.
        channel: kind of evidence that started the event: joint, spike or flatline.
        contributions: contribution of each metric at `peak_at`; the contributions sum to 1.
        model_id: ID of the model whose detector reported the event.
        verdict: the operator's verdict: expected or incident; None if there is none.
        note: the operator's note; None if there is none.
        verdict_at: time of the verdict, in seconds since the epoch; None if there is none.
        replayed: True if the event was found in a replay of stored history, not by the live detector.
    """

    id: int
    started_at: float
    ended_at: float | None
    peak: float
    peak_at: float
    channel: str
    contributions: dict[str, float]
    model_id: int
    verdict: Verdict | None
    note: str | None
    verdict_at: float | None
    replayed: bool


@dataclass(frozen=True)
class AnomalyCountDocument:
    """Numbers of recent anomaly events; a part of `monitor report`.

    Attributes:
        days: length of the period in days.
        anomalies: number of live events that started in the period.
        verdicts: number of live events by verdict: incident, expected, none.
        channels: number of live events by channel.
        allowed: false-alarm budget, in alarms per 30 days.
        replayed: number of replayed events that started in the period.
    """

    days: float
    anomalies: int
    verdicts: dict[str, int]
    channels: dict[str, int]
    allowed: float
    replayed: int


def anomaly_document(event: AnomalyRecord) -> AnomalyDocument:
    """Convert a stored event to its JSON document."""
    return AnomalyDocument(
        id=event.id,
        started_at=event.started_at,
        ended_at=event.ended_at,
        peak=event.peak,
        peak_at=event.peak_at,
        channel=event.channel,
        contributions=event.contributions,
        model_id=event.model_id,
        verdict=event.verdict,
        note=event.note,
        verdict_at=event.verdict_at,
        replayed=event.replayed,
    )


def anomaly_count_document(
    events: Sequence[AnomalyRecord], allowed: float, start: float, now: float
) -> AnomalyCountDocument:
    """Count the live events that started in a period, by verdict and channel, and the replayed events.

    Args:
        events: stored events.
        allowed: false-alarm budget, in alarms per 30 days.
        start: start of the period, in seconds since the epoch.
        now: end of the period, in seconds since the epoch.
    """
    started = [event for event in events if event.started_at > start]
    recent = [event for event in started if not event.replayed]
    verdicts = Counter(event.verdict or NO_VERDICT for event in recent)
    return AnomalyCountDocument(
        days=(now - start) / DAY,
        anomalies=len(recent),
        verdicts={verdict: verdicts[verdict] for verdict in ("incident", "expected", NO_VERDICT)},
        channels=dict(Counter(event.channel for event in recent)),
        allowed=allowed,
        replayed=len(started) - len(recent),
    )

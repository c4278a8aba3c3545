"""Anomaly events: stored anomalies whose start or end was not notified yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.notifications.events import (
    Change,
    Event,
    EventKind,
    MetricContribution,
    Origin,
    Severity,
    incident_key,
)
from monitor.notifications.high_load import TOP_METRICS
from monitor.sampling.metric_catalog import METRIC_BY_FIELD
from monitor.system.formatting import approximate_duration, format_quantity
from storage import AnomalyRecord, NotifiedIncident, Sample


def anomaly_events(
    origin: Origin, notified: NotifiedIncident | None, stored: Sequence[AnomalyRecord], sample: Sample
) -> tuple[list[Event], NotifiedIncident | None]:
    """Return the events that are due, oldest first, and the newest notified incident after them.

    Args:
        origin: origin of the events.
        notified: newest incident that was notified. If it is None, anomalies that have ended are not notified: they
            may be older than the channels.
        stored: live anomalies, in any order.
        sample: newest sample.
    """
    events = []
    for anomaly in sorted(stored, key=lambda anomaly: anomaly.started_at):
        if notified is None and anomaly.ended_at is not None:
            continue
        if notified is None or anomaly.started_at > notified.started_at:
            notified = NotifiedIncident(EventKind.ANOMALY, anomaly.started_at)
            events.append(_event(origin, anomaly, Change.STARTED, sample))
        is_notified = anomaly.started_at == notified.started_at and notified.in_progress
        if is_notified and anomaly.ended_at is not None:
            notified = replace(notified, in_progress=False)
            events.append(_event(origin, anomaly, Change.ENDED, sample))
    return events, notified


def _event(origin: Origin, anomaly: AnomalyRecord, change: Change, sample: Sample) -> Event:
    key = incident_key(origin.host, EventKind.ANOMALY, anomaly.started_at)
    title = f"Anomaly on {origin.host}"
    at = anomaly.started_at
    if anomaly.ended_at is not None and change is Change.ENDED:
        at = anomaly.ended_at
        title = f"Anomaly ended on {origin.host} after {approximate_duration(at - anomaly.started_at)}"
    return Event(
        key=f"{key}/{change}",
        incident=key,
        kind=EventKind.ANOMALY,
        change=change,
        severity=Severity.WARNING,
        host=origin.host,
        at=at,
        started_at=anomaly.started_at,
        url=origin.url,
        title=title,
        contributions=tuple(_contribution(metric, share, sample) for metric, share in _top(anomaly.contributions)),
        details=f"Show it: {origin.command} anomalies show {anomaly.id}",
    )


def _top(contributions: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(contributions.items(), key=lambda entry: entry[1], reverse=True)[:TOP_METRICS]


def _contribution(metric: str, share: float, sample: Sample) -> MetricContribution:
    value = getattr(sample, metric, None)
    described = METRIC_BY_FIELD.get(metric)
    text = metric if described is None else f"{described.label} {format_quantity(value, described.unit)}"
    return MetricContribution(
        metric=metric, value=value, contribution=share, text=f"{text}, {share:.0%} of the score"
    )

"""Anomaly events: stored anomalies whose start or end was not notified yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from monitor.queries.event_context import MetricValue
from monitor.sampling.metric_catalog import METRIC_BY_FIELD
from monitor.system.formatting import approximate_duration, format_quantity
from storage import AnomalyRecord, NotifiedIncident, Sample

ValuesReader = Callable[[AnomalyRecord], Sequence[MetricValue]]
"""Reader of the actual and expected values of an event."""


def anomaly_events(
    origin: Origin,
    notified: NotifiedIncident | None,
    stored: Sequence[AnomalyRecord],
    sample: Sample,
    values_of: ValuesReader = lambda _: (),
) -> tuple[list[Event], NotifiedIncident | None]:
    """Return the events that are due, oldest first, and the newest notified incident after them.

    Args:
        origin: origin of the events.
        notified: newest incident that was notified. If it is None, anomalies that have ended are not notified: they
            may be older than the channels.
        stored: live anomalies, in any order.
        sample: newest sample, whose values are those of the metrics without an expected value.
        values_of: returns the actual and expected values of an event, as far as they are known.
    """
    events = []
    for anomaly in sorted(stored, key=lambda anomaly: anomaly.started_at):
        if notified is None and anomaly.ended_at is not None:
            continue
        if notified is None or anomaly.started_at > notified.started_at:
            notified = NotifiedIncident(EventKind.ANOMALY, anomaly.started_at)
            events.append(_event(origin, anomaly, Change.STARTED, sample, values_of))
        is_notified = anomaly.started_at == notified.started_at and notified.in_progress
        if is_notified and anomaly.ended_at is not None:
            notified = replace(notified, in_progress=False)
            events.append(_event(origin, anomaly, Change.ENDED, sample, values_of))
    return events, notified


def _event(origin: Origin, anomaly: AnomalyRecord, change: Change, sample: Sample, values_of: ValuesReader) -> Event:
    key = incident_key(origin.host, EventKind.ANOMALY, anomaly.started_at)
    title = f"Anomaly on {origin.host}"
    at = anomaly.started_at
    if anomaly.ended_at is not None and change is Change.ENDED:
        at = anomaly.ended_at
        title = f"Anomaly ended on {origin.host} after {approximate_duration(at - anomaly.started_at)}"
    known = {value.metric: value for value in values_of(anomaly)}
    top = _top(anomaly.contributions)
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
        contributions=tuple(_contribution(metric, share, sample, known.get(metric)) for metric, share in top),
        details=f"Show it: {origin.command} anomalies show {anomaly.id}",
    )


def _top(contributions: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(contributions.items(), key=lambda entry: entry[1], reverse=True)[:TOP_METRICS]


def _contribution(metric: str, share: float, sample: Sample, known: MetricValue | None) -> MetricContribution:
    """Return a metric with its actual and expected value if both are known, else with the value of the sample."""
    has_expected = known is not None and known.actual is not None and known.expected is not None
    value = known.actual if known is not None and has_expected else getattr(sample, metric, None)
    described = METRIC_BY_FIELD.get(metric)
    text = metric
    if described is not None:
        text = f"{described.label} {format_quantity(value, described.unit)}"
        if known is not None and has_expected:
            text += f", expected {format_quantity(known.expected, described.unit)}"
    return MetricContribution(
        metric=metric, value=value, contribution=share, text=f"{text}, {share:.0%} of the score"
    )

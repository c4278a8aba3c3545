"""High-load events: differences between the newest forecast and the incident that was notified."""

from __future__ import annotations

from dataclasses import replace

from model.forecast.attribution import LEVEL
from monitor.inference.forecast import Forecast
from monitor.notifications.events import (
    Change,
    Event,
    EventKind,
    MetricContribution,
    Origin,
    Severity,
    incident_key,
    severity_of,
)
from monitor.system.formatting import approximate_duration, format_duration
from storage import NotifiedIncident, Sample

TOP_METRICS = 3
"""Largest number of contributing metrics in an event."""

HIGH_LOAD = 0.0
"""Level of high load in progress; that of a warning is its horizon in seconds. A lower level is more severe."""


def high_load_event(
    origin: Origin, notified: NotifiedIncident | None, forecast: Forecast, sample: Sample
) -> tuple[Event, NotifiedIncident] | None:
    """Return the event that the newest forecast gives rise to, and the incident after it; None without a change.

    1. An incident is raised if there is none and a warning is active, or load is high.
    2. It escalates if a horizon shorter than any before warns, or high load begins.
    3. It is cleared once load is not high and no warning is active.

    Args:
        origin: origin of the event.
        notified: newest incident that was notified; None if there is none.
        forecast: newest forecast.
        sample: newest sample.
    """
    level = current_level(forecast)
    at = forecast.predictions[0].at
    incident = notified if notified is not None and notified.in_progress else None
    if incident is None:
        if level is None:
            return None
        incident = NotifiedIncident(EventKind.HIGH_LOAD, at, level, level)
        return _event(origin, incident, Change.RAISED, forecast, sample), incident
    if level is None:
        cleared = replace(incident, in_progress=False)
        return _event(origin, cleared, Change.CLEARED, forecast, sample), cleared
    if level >= incident.level:
        return None
    escalated = replace(incident, level=level)
    return _event(origin, escalated, Change.ESCALATED, forecast, sample), escalated


def current_level(forecast: Forecast) -> float | None:
    """Return HIGH_LOAD during high load, else the shortest horizon with a warning; None without a warning."""
    if any(prediction.high_load_since is not None for prediction in forecast.predictions):
        return HIGH_LOAD
    return min((prediction.horizon for prediction in forecast.predictions if prediction.warning), default=None)


def _event(origin: Origin, incident: NotifiedIncident, change: Change, forecast: Forecast, sample: Sample) -> Event:
    key = incident_key(origin.host, incident.kind, incident.started_at)
    at = forecast.predictions[0].at
    number = _described_prediction(forecast, incident.level)
    prediction = forecast.predictions[number]
    return Event(
        key=event_key(key, change, incident.level),
        incident=key,
        kind=EventKind.HIGH_LOAD,
        change=change,
        severity=severity_of(incident.level),
        severities=severities_of(incident),
        host=origin.host,
        at=at,
        started_at=incident.started_at,
        url=origin.url,
        title=title_of(origin.host, incident, change, at),
        horizon=prediction.horizon,
        probability=prediction.probability,
        base_rate=prediction.baseline_probability,
        load_is_high=prediction.high_load_since is not None,
        contributions=() if change is Change.CLEARED else _top_metrics(forecast, number, sample),
    )


def event_key(incident: str, change: Change, level: float) -> str:
    """Return the idempotency key of an event: that of its incident and the change.

    A level is notified once, so that the key is unique.
    """
    return f"{incident}/{change}-{level:g}" if change is Change.ESCALATED else f"{incident}/{change}"


def severities_of(incident: NotifiedIncident) -> tuple[Severity, ...]:
    """Return the severities of an incident so far, from that of its start to that of its level."""
    ascending = list(Severity)
    first = ascending.index(severity_of(incident.first_level))
    return tuple(ascending[first : ascending.index(severity_of(incident.level)) + 1])


def _described_prediction(forecast: Forecast, level: float) -> int:
    """Return the number of the prediction that an event describes: that of the level, else the shortest horizon."""
    horizons = [prediction.horizon for prediction in forecast.predictions]
    return horizons.index(level) if level in horizons else horizons.index(min(horizons))


def title_of(host: str, incident: NotifiedIncident, change: Change, at: float) -> str:
    """Return the title of an event at a time in seconds since the epoch."""
    if change is Change.CLEARED:
        ended = "High load ended" if incident.level == HIGH_LOAD else "Warning of high load cleared"
        return f"{ended} on {host} after {approximate_duration(max(0.0, at - incident.started_at))}"
    if incident.level == HIGH_LOAD:
        return f"High load on {host}"
    return f"High load expected on {host} within {format_duration(incident.level)}"


def _top_metrics(forecast: Forecast, number: int, sample: Sample) -> tuple[MetricContribution, ...]:
    """Return the metrics that raise the probability most, without the base rate."""
    contributions = forecast.contributions[number]
    horizon = forecast.predictions[number].horizon
    raising = [(group, value) for group, value in contributions.items() if value > 0 and group != LEVEL]
    raising.sort(key=lambda entry: entry[1], reverse=True)
    return tuple(
        MetricContribution(
            metric=group,
            value=getattr(sample, group, None),
            contribution=value,
            text=forecast.describe(group, horizon),
        )
        for group, value in raising[:TOP_METRICS]
    )

"""Capacity events: differences between the newest predictions of exhausted capacity and the notified incidents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from model.capacity.tasks import FILESYSTEM
from monitor.notifications.events import Change, Event, EventKind, Origin, ResourceUse, Severity, incident_key
from monitor.queries.capacity import ResourceState
from monitor.system.formatting import approximate_duration, format_duration, format_percent
from storage import CapacityResource, NotifiedIncident

EXHAUSTED = 0.0
"""Level of a resource above its limit; that of a warning is its horizon in seconds. A lower level is more severe."""

KIND_PREFIX = "c-"
"""Start of the kind of the stored incident of a resource."""

KIND_DIGITS = 13
"""Hexadecimal digits of a resource in the kind of its stored incident."""

EventWithIncident = tuple[Event, NotifiedIncident]
"""An event, and the incident after it."""


def resource_incident_kind(kind: str, name: str) -> str:
    """Return the kind of the incidents of a resource: unique, and short enough for the database."""
    return f"{KIND_PREFIX}{hashlib.sha256(f'{kind}:{name}'.encode()).hexdigest()[:KIND_DIGITS]}"


def capacity_event(
    origin: Origin, notified: NotifiedIncident | None, resource: ResourceState
) -> EventWithIncident | None:
    """Return the event that the newest state of a resource gives rise to; None without a change.

    1. An incident is raised if there is none, and a warning is active or the limit is passed.
    2. It escalates if the limit is passed.
    3. It is cleared once the use is below the limit and no warning is active.
    4. A resource without a prediction keeps its incident.

    Args:
        origin: origin of the event.
        notified: newest incident of the resource that was notified; None if there is none.
        resource: newest state of the resource.
    """
    if resource.row.probability is None and not resource.is_full:
        return None
    level = current_level(resource)
    incident = notified if notified is not None and notified.in_progress else None
    if incident is None:
        if level is None:
            return None
        kind = resource_incident_kind(resource.kind, resource.name)
        raised = NotifiedIncident(kind, resource.row.at, level, level)
        return _state_event(origin, raised, Change.RAISED, resource), raised
    if level is None:
        cleared = replace(incident, in_progress=False)
        return _state_event(origin, cleared, Change.CLEARED, resource), cleared
    if level >= incident.level:
        return None
    escalated = replace(incident, level=level)
    return _state_event(origin, escalated, Change.ESCALATED, resource), escalated


def current_level(resource: ResourceState) -> float | None:
    """Return EXHAUSTED above the limit, the horizon during a warning, and None otherwise."""
    if resource.is_full:
        return EXHAUSTED
    return resource.horizon if resource.row.warning else None


def absent_incidents(
    incidents: Mapping[str, NotifiedIncident], present: Iterable[ResourceState]
) -> list[NotifiedIncident]:
    """Return the incidents in progress of resources that are not present.

    Args:
        incidents: newest notified incident of each kind.
        present: newest state of each resource.
    """
    kinds = {resource_incident_kind(resource.kind, resource.name) for resource in present}
    return [
        incident
        for kind, incident in incidents.items()
        if kind.startswith(KIND_PREFIX) and incident.in_progress and kind not in kinds
    ]


def absence_event(
    origin: Origin, incident: NotifiedIncident, stored: Iterable[CapacityResource], now: float
) -> EventWithIncident | None:
    """Return the end of the incident of a file system that is no longer watched; None for any other resource.

    Memory is absent only while there are no samples, which ends no incident.

    Args:
        origin: origin of the event.
        incident: incident in progress.
        stored: resources in the database.
        now: seconds since the epoch.
    """
    for resource in stored:
        if resource.kind == FILESYSTEM.kind and incident.kind == resource_incident_kind(resource.kind, resource.name):
            cleared = replace(incident, in_progress=False)
            use = ResourceUse(resource=resource.kind, mountpoint=resource.name)
            details = "The file system is no longer mounted, or no longer watched."
            return _event(origin, cleared, Change.CLEARED, use, now, details=details), cleared
    return None


def _state_event(origin: Origin, incident: NotifiedIncident, change: Change, resource: ResourceState) -> Event:
    row = resource.row
    use = ResourceUse(
        resource=resource.kind,
        mountpoint=resource.name if resource.kind == FILESYSTEM.kind else None,
        usage=resource.usage,
        limit=resource.limit,
        exhausted=resource.is_full,
        expected_at=None if row.full_seconds is None or resource.is_full else row.at + row.full_seconds,
    )
    event = _event(origin, incident, change, use, row.at)
    return replace(event, horizon=resource.horizon, probability=row.probability, base_rate=row.base_rate)


def _event(
    origin: Origin, incident: NotifiedIncident, change: Change, use: ResourceUse, at: float, details: str = ""
) -> Event:
    key = incident_key(origin.host, f"{EventKind.CAPACITY}/{incident.kind}", incident.started_at)
    severities = (_severity(incident.first_level), _severity(incident.level))
    return Event(
        key=f"{key}/{change}",
        incident=key,
        kind=EventKind.CAPACITY,
        change=change,
        severity=severities[-1],
        severities=tuple(dict.fromkeys(severities)),
        host=origin.host,
        at=at,
        started_at=incident.started_at,
        url=origin.url,
        title=_title(origin.host, incident, change, use, at),
        details=details,
        capacity=use,
    )


def _severity(level: float) -> Severity:
    """Return the severity of a level; that of a warning is the severity of the shipped alerts."""
    return Severity.CRITICAL if level == EXHAUSTED else Severity.WARNING


def _title(host: str, incident: NotifiedIncident, change: Change, use: ResourceUse, at: float) -> str:
    name = "memory" if use.mountpoint is None else f"file system {use.mountpoint}"
    if change is Change.CLEARED:
        duration = approximate_duration(max(0.0, at - incident.started_at))
        return f"Warning of {name} cleared on {host} after {duration}"
    subject = f"{name[0].upper()}{name[1:]} on {host}"
    limit = format_percent(use.limit)
    if use.exhausted:
        return f"{subject} is above {limit}"
    return f"{subject} is expected to pass {limit} within {format_duration(incident.level)}"

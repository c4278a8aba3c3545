"""Notifications of a fleet: high-load events of each host, compared with the notified incidents."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

import numpy as np

from monitor.config.loader import Config
from monitor.config.notify.channels import Channel
from monitor.fleet.process.host_table import HostTable
from monitor.fleet.process.state import FleetState
from monitor.fleet.serving.application import HOST_PAGE_PREFIX
from monitor.notifications.collector import CalmTimer, notification_of
from monitor.notifications.events import Change, Event, EventKind, incident_key, severity_of
from monitor.notifications.high_load import HIGH_LOAD, event_key, severities_of, title_of
from monitor.notifications.outbox import Outbox
from monitor.training.exclusions import in_maintenance
from storage import NotifiedIncident, StorageError

KIND_DIGITS = 13
"""Hexadecimal digits of a host in the kind of its stored incident."""


def incident_kind(host: str) -> str:
    """Return the kind of the incidents of a host: unique, and short enough for the database."""
    return f"h-{hashlib.sha256(host.encode()).hexdigest()[:KIND_DIGITS]}"


@dataclass(frozen=True)
class HostLevel:
    """Load of a host: row of the table, and level, which is None without a warning and without high load."""

    row: int
    level: float | None


class FleetEventCollector:
    """Queues the events of all hosts. For use by one thread.

    The incidents that were notified are in the database: a restart sends nothing again. A host without a current
    prediction keeps its incident, which the next prediction or its expiry ends.
    """

    def __init__(
        self,
        config: Config,
        outbox: Outbox,
        state: Callable[[], FleetState],
        page_url: Callable[[], str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Initialize the collector.

        Args:
            config: configuration with at least one channel.
            outbox: queue of the notifications.
            state: returns the current state of the process.
            page_url: returns the URL of the page of the fleet, without a final slash.
            monotonic: monotonic clock; returns seconds.
        """
        self._channels: Mapping[str, Channel] = dict(config.notify.channels)
        self._maintenance = config.anomaly.maintenance
        self._clear_after = config.notify.clear_after
        self._outbox = outbox
        self._state = state
        self._page_url = page_url
        self._monotonic = monotonic
        self._calm: dict[str, CalmTimer] = {}

    def collect(self, now: float) -> None:
        """Queue the events that are due, unless a recurring maintenance window is in progress.

        A missed step that was filled later has no events: it is in the past, and the newest step follows.

        Args:
            now: seconds since the epoch.
        """
        if in_maintenance(now, (), self._maintenance):
            return
        state = self._state()
        table = state.table
        if table.filled:
            return
        for host, load in host_levels(table, state.step, self._in_progress(table)).items():
            self._compare(table, host, load, now)

    def _in_progress(self, table: HostTable) -> set[str]:
        """Return the hosts of the table whose incident is in progress."""
        if not any(incident.in_progress for incident in self._outbox.incidents.values()):
            return set()
        return {host for host in table.hosts if self._incident(host) is not None}

    def _incident(self, host: str) -> NotifiedIncident | None:
        incident = self._outbox.incidents.get(incident_kind(host))
        return incident if incident is not None and incident.in_progress else None

    def _compare(self, table: HostTable, host: str, load: HostLevel, now: float) -> None:
        """Queue the event of one host if its load differs from what was notified."""
        change = incident_change(self._incident(host), host, load.level, table.time)
        event = None if change is None else self._event(table, host, load.row, *change)
        calm = self._calm.setdefault(host, CalmTimer(self._clear_after, self._monotonic))
        if not calm.allows(event):
            return
        self._calm.pop(host, None)
        if event is None or change is None:
            return
        known = self._known_channels(event) if event.change.ends_incident else None
        notifications = [
            notification_of(event, name, now)
            for name, channel in self._channels.items()
            if event.kind in channel.events and (known is None or name in known)
        ]
        self._outbox.add(notifications, change[1])

    def _known_channels(self, event: Event) -> set[str] | None:
        """Return the channels that an incident was queued for; None if they are unknown without the database."""
        try:
            return set(self._outbox.channels_of(event.incident))
        except StorageError:
            return None

    def _event(self, table: HostTable, host: str, row: int, change: Change, incident: NotifiedIncident) -> Event:
        key = incident_key(host, EventKind.HIGH_LOAD, incident.started_at)
        horizons = list(table.horizons)
        number = horizons.index(incident.level) if incident.level in horizons else 0
        base_rate = float(table.base_rates[row, number])
        return Event(
            key=event_key(key, change, incident.level),
            incident=key,
            kind=EventKind.HIGH_LOAD,
            change=change,
            severity=severity_of(incident.level),
            severities=severities_of(incident),
            host=host,
            at=table.time,
            started_at=incident.started_at,
            url=f"{self._page_url()}{HOST_PAGE_PREFIX}{quote(host, safe=':')}",
            title=title_of(host, incident, change, table.time),
            horizon=horizons[number],
            probability=float(table.probabilities[row, number]),
            base_rate=base_rate if np.isfinite(base_rate) else None,
            load_is_high=bool(table.high[row]),
        )


def host_levels(table: HostTable, step: float, in_progress: set[str]) -> dict[str, HostLevel]:
    """Return the load of the hosts with a warning, high load, or an incident in progress, by host.

    Args:
        table: hosts.
        step: seconds between samples.
        in_progress: hosts with an incident in progress.
    """
    predicted = table.predicted(step)
    if not predicted.any():
        return {}
    loaded = predicted & (table.high | table.warnings.any(axis=1))
    levels = {table.hosts[row]: HostLevel(row, _level(table, row)) for row in loaded.nonzero()[0].tolist()}
    for host in in_progress - set(levels):
        row = table.rows[host]
        if predicted[row]:
            levels[host] = HostLevel(row, None)
    return levels


def incident_change(
    incident: NotifiedIncident | None, host: str, level: float | None, at: float
) -> tuple[Change, NotifiedIncident] | None:
    """Return the change of the incident of a host, and the incident after it; None without a change.

    Args:
        incident: incident in progress; None if there is none.
        host: value of the host label.
        level: HIGH_LOAD, shortest horizon with a warning in seconds, or None.
        at: seconds since the epoch.
    """
    if incident is None:
        if level is None:
            return None
        return Change.RAISED, NotifiedIncident(incident_kind(host), at, level, level)
    if level is None:
        return Change.CLEARED, replace(incident, in_progress=False)
    if level >= incident.level:
        return None
    return Change.ESCALATED, replace(incident, level=level)


def _level(table: HostTable, row: int) -> float:
    if table.high[row]:
        return HIGH_LOAD
    return min(horizon for horizon, warns in zip(table.horizons, table.warnings[row], strict=True) if warns)

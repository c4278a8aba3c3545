"""Event collector: queues the differences between the state of the host and the notified incidents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from model.units import DAY
from monitor.config.maintenance_windows import RecurringWindow
from monitor.config.notify.channels import Channel
from monitor.notifications.anomalies import anomaly_events
from monitor.notifications.capacity import absence_event, absent_incidents, capacity_event, resource_incident_kind
from monitor.notifications.events import Event, EventKind, Origin
from monitor.notifications.high_load import high_load_event
from monitor.notifications.outbox import Outbox
from monitor.queries.capacity import CapacityState
from monitor.queries.event_context import MetricValue
from monitor.state import AnomalyState, LiveState
from monitor.stores import Stores
from monitor.system.json_codec import to_json
from monitor.training.exclusions import in_maintenance
from storage import AnomalyRecord, MaintenanceWindow, Notification, NotifiedIncident, Sample, StorageError

RECENT = 7 * DAY
"""Seconds for which an anomaly that ended while the daemon did not run is notified."""


class CalmTimer:
    """Timer that delays the end of an incident until the calm has lasted for a time."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        """Initialize the timer.

        Args:
            seconds: time without a reason for the incident.
            monotonic: monotonic clock; returns seconds.
        """
        self._seconds = seconds
        self._monotonic = monotonic
        self._since: float | None = None

    def allows(self, event: Event | None) -> bool:
        """Return True if an event may be notified now; call it for each comparison, with None without an event."""
        if event is None or not event.change.ends_incident:
            self._since = None
            return True
        if self._since is None:
            self._since = self._monotonic()
        return self._monotonic() - self._since >= self._seconds


class EventCollector:
    """Queues events. For use by one thread.

    The state is compared with the notified incidents, instead of its changes being recorded: after a restart, a
    failure or a maintenance window, the next comparison brings the channels up to date.
    """

    def __init__(
        self,
        stores: Stores,
        outbox: Outbox,
        channels: Mapping[str, Channel],
        recurring: Sequence[RecurringWindow],
        origin: Callable[[], Origin],
        calm: Callable[[], CalmTimer],
    ) -> None:
        """Initialize the collector.

        Args:
            stores: repositories of the database.
            outbox: queue of the notifications.
            channels: channels by name.
            recurring: recurring maintenance windows of the configuration.
            origin: returns the name of the host, and the URL of the page.
            calm: returns a timer that decides when the end of an incident is notified.
        """
        self._new_calm = calm
        self._calm = calm()
        self._capacity_calm: dict[str, CalmTimer] = {}
        self._stores = stores
        self._anomalies = stores.anomalies
        self._capacity = stores.capacity
        self._outbox = outbox
        self._channels = channels
        self._recurring = recurring
        self._origin = origin
        self._compared_anomaly: AnomalyState | None = None
        self._windows: list[MaintenanceWindow] = []

    def collect(self, live: LiveState, anomaly: AnomalyState | None, now: float) -> None:
        """Queue the events that are due, unless a maintenance window is in progress.

        Args:
            live: result of the newest sampling cycle.
            anomaly: state of the anomaly detector; None if no detector runs.
            now: seconds since the epoch.
        """
        if live.forecast is not None:
            notified = self._outbox.incidents.get(EventKind.HIGH_LOAD)
            change = high_load_event(self._origin(), notified, live.forecast, live.sample)
            is_due = self._calm.allows(change[0] if change else None)
            if change is not None and is_due and not self._in_maintenance(now):
                self._queue([change[0]], change[1], now)
        if anomaly is not None and anomaly is not self._compared_anomaly:
            self._collect_anomalies(anomaly, live.sample, now)

    def collect_capacity(self, state: CapacityState, now: float) -> None:
        """Queue the events of file systems and memory that are due, unless a maintenance window is in progress.

        Args:
            state: newest predictions of exhausted capacity.
            now: seconds since the epoch.
        """
        incidents = self._outbox.incidents
        changes: list[tuple[Event, NotifiedIncident]] = []
        for resource in state.resources:
            kind = resource_incident_kind(resource.kind, resource.name)
            change = capacity_event(self._origin(), incidents.get(kind), resource)
            calm = self._capacity_calm.setdefault(kind, self._new_calm())
            if calm.allows(change[0] if change else None) and change is not None:
                changes.append(change)
        absent = absent_incidents(incidents, state.resources)
        if absent:
            with suppress(StorageError):
                stored = self._capacity.resources(0.0)
                ended = [absence_event(self._origin(), incident, stored, now) for incident in absent]
                changes += [change for change in ended if change is not None]
        if changes and not self._in_maintenance(now):
            for event, incident in changes:
                self._queue([event], incident, now)

    def _collect_anomalies(self, anomaly: AnomalyState, sample: Sample, now: float) -> None:
        """Queue the events of the stored anomalies; without the database, the next call tries again."""
        with suppress(StorageError):
            stored = self._anomalies.since(now - RECENT, live=True)
            notified = self._outbox.incidents.get(EventKind.ANOMALY)
            events, newest = anomaly_events(
                self._origin(), notified, stored, sample, lambda event: self._metric_values(event, now)
            )
            if events and newest is not None:
                if self._in_maintenance(now):
                    return
                self._queue(events, newest, now)
            self._compared_anomaly = anomaly

    def _metric_values(self, event: AnomalyRecord, now: float) -> Sequence[MetricValue]:
        """Return the actual and expected values of an anomaly; none if they cannot be read."""
        # Imported at the first anomaly.
        from monitor.queries.anomaly_details import read_anomaly_details  # noqa: PLC0415

        try:
            return read_anomaly_details(self._stores, event.id, now).values
        except StorageError:
            return ()

    def _queue(self, events: Sequence[Event], incident: NotifiedIncident, now: float) -> None:
        """Add the notifications of events to the outbox: one per channel that gets this kind of event.

        The end of an incident is only for the channels that its start was queued for.
        """
        notifications: list[Notification] = []
        for event in events:
            known = self._channels_of(event.incident) if event.change.ends_incident else None
            started = {notification.channel for notification in notifications}
            for name, channel in self._channels.items():
                if event.kind in channel.events and (known is None or name in known or name in started):
                    notifications.append(notification_of(event, name, now))
        self._outbox.add(notifications, incident)

    def _channels_of(self, incident: str) -> set[str] | None:
        """Return the channels that know an incident; None if they are unknown without the database."""
        try:
            return set(self._outbox.channels_of(incident))
        except StorageError:
            return None

    def _in_maintenance(self, now: float) -> bool:
        """Return True during a maintenance window; without the database, one of the windows that were read last."""
        with suppress(StorageError):
            self._windows = self._anomalies.maintenance_windows(now)
        return in_maintenance(now, self._windows, self._recurring)


def notification_of(event: Event, channel: str, now: float) -> Notification:
    """Return the notification of an event through a channel."""
    return Notification(event.key, channel, event.incident, event.change, now, to_json(event))

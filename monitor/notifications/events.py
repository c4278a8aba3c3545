"""Events: content of the notifications, as every channel gets it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.system.formatting import format_duration, format_percent, format_time


class EventKind(StrEnum):
    """Subject of an event; a SUMMARY counts suppressed notifications, a TEST is sent by `monitor notify test`."""

    HIGH_LOAD = "high_load"
    ANOMALY = "anomaly"
    CAPACITY = "capacity"
    SUMMARY = "summary"
    TEST = "test"


class Change(StrEnum):
    """Change of the incident that an event reports."""

    RAISED = "raised"
    ESCALATED = "escalated"
    CLEARED = "cleared"
    STARTED = "started"
    ENDED = "ended"
    SUMMARY = "summary"
    TEST = "test"

    @property
    def ends_incident(self) -> bool:
        """True if the incident ends with this change."""
        return self in (Change.CLEARED, Change.ENDED)


class Severity(StrEnum):
    """Severity of an event, as the severity of the shipped alerts, in ascending order."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True)
class MetricContribution:
    """Metric that contributed to a probability or an anomaly.

    Attributes:
        metric: name of the metric, or of another group of features.
        value: newest value in the base unit of the metric, or with an expected value, that of the row that deviates
            most from its forecast; None if it is unknown, or for another group of features.
        contribution: contribution in log-odds to the probability, or share of an anomaly.
        text: phrase with the value, for people.
    """

    metric: str
    value: float | None
    contribution: float
    text: str


@dataclass(frozen=True)
class ResourceUse:
    """Use of the resource that a capacity event is about.

    Attributes:
        resource: "filesystem" or "memory".
        mountpoint: mount point of a file system; None for the memory.
        usage: use as a ratio; None if the file system is no longer watched.
        limit: use as a ratio whose passing is predicted; None as `usage`.
        exhausted: True if the limit is passed.
        expected_at: expected time of passing the limit, in seconds since the epoch; None above the limit, for the
            memory, or if it is not expected within 90 days.
    """

    resource: str
    mountpoint: str | None = None
    usage: float | None = None
    limit: float | None = None
    exhausted: bool = False
    expected_at: float | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """Use and expected time, one fact per line."""
        lines = []
        if self.usage is not None:
            lines.append(f"Used: {format_percent(self.usage)}, limit {format_percent(self.limit)}")
        if self.expected_at is not None:
            lines.append(f"Limit expected to be passed: {format_time(self.expected_at)}")
        return tuple(lines)


@dataclass(frozen=True)
class Origin:
    """Origin of the events of one daemon.

    Attributes:
        host: name of the host.
        url: URL of the page.
        command: start of a command line that reads the configuration of the daemon.
    """

    host: str
    url: str
    command: str = "monitor"


@dataclass(frozen=True)
class Event:
    """Event of which the channels are notified.

    Attributes:
        key: idempotency key; the same in each attempt and for each channel.
        incident: key shared by the events of one incident, from its start to its end.
        kind: subject of the event.
        change: change of the incident.
        severity: severity of the incident.
        host: name of the host.
        at: time of the event, in seconds since the epoch.
        started_at: start of the incident, in seconds since the epoch.
        url: URL of the page.
        title: event in one line.
        horizon: shortest horizon with a warning, or that of the resource, in seconds; None if there is none.
        probability: probability of high load, or of passing the limit, within the horizon; None without a horizon.
        base_rate: usual probability within the horizon; None without a horizon, or if it is unknown.
        load_is_high: True during high load; the probability is then that it continues or returns.
        contributions: metrics that contributed most, at most three.
        severities: severities of the incident so far, in ascending order; empty if it has only one.
        details: further sentences.
        capacity: use of the resource of a capacity event; None for other events.
    """

    key: str
    incident: str
    kind: EventKind
    change: Change
    severity: Severity
    host: str
    at: float
    started_at: float
    url: str
    title: str
    horizon: float | None = None
    probability: float | None = None
    base_rate: float | None = None
    load_is_high: bool = False
    contributions: tuple[MetricContribution, ...] = ()
    severities: tuple[Severity, ...] = ()
    details: str = ""
    capacity: ResourceUse | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """Content below the title, one fact per line."""
        lines = []
        if self.horizon is not None and not (self.capacity is not None and self.capacity.exhausted):
            name = "Probability that it continues or returns" if self.load_is_high else "Probability"
            chance = f"{format_percent(self.probability)} within {format_duration(self.horizon)}"
            usual = "" if self.base_rate is None else f", usually {format_percent(self.base_rate)}"
            lines.append(f"{name}: {chance}{usual}")
        if self.capacity is not None:
            lines += self.capacity.lines
        if self.contributions:
            lines.append(f"Metrics: {'; '.join(metric.text for metric in self.contributions)}")
        if self.details:
            lines.append(self.details)
        lines.append(f"Time: {format_time(self.at)}")
        return tuple(lines)

    @property
    def text(self) -> str:
        """Event as plain text: title, content and URL."""
        return "\n".join((self.title, *self.lines, self.url))


def incident_key(host: str, kind: str, started_at: float) -> str:
    """Return the key that the events of one incident share."""
    return f"{host}/{kind}/{started_at:.3f}"


def severity_of(horizon: float) -> Severity:
    """Return the severity of a warning for a horizon in seconds, as that of the alert MonitorHighLoadComing.

    High load in progress has the horizon 0, and is critical.
    """
    if horizon == 0:
        return Severity.CRITICAL
    return Severity.WARNING if horizon <= 1800 else Severity.INFO


def test_event(origin: Origin, now: float, *, is_fleet: bool) -> Event:
    """Return the event that `monitor notify test` sends.

    Args:
        origin: host and URL.
        now: seconds since the epoch.
        is_fleet: True if the channels get the events of a fleet.
    """
    subject = "High load of the hosts of this fleet" if is_fleet else "High load and anomalies of this host"
    verb = "is" if is_fleet else "are"
    key = incident_key(origin.host, EventKind.TEST, now)
    return Event(
        key=key,
        incident=key,
        kind=EventKind.TEST,
        change=Change.TEST,
        severity=Severity.INFO,
        host=origin.host,
        at=now,
        started_at=now,
        url=origin.url,
        title=f"Test notification of monitor on {origin.host}",
        details=f"{subject} {verb} reported here.",
    )

"""Presets: HTTP request of an event for each service that a webhook supports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from monitor.config.notify.channels import PAGERDUTY_URL
from monitor.notifications.events import Change, Event, EventKind, Severity
from monitor.notifications.sending import SendError
from monitor.system.json_codec import JsonValue, to_plain

INCIDENT_PRESETS = frozenset({"pagerduty", "alertmanager"})
"""Services that keep incidents with a state; they get no summary of suppressed notifications, which is none."""

ALERTS_PATH = "/api/v2/alerts"

MAX_FIRING = 86_400.0
"""Seconds after which Alertmanager resolves an alert whose end it never gets."""

TEST_FIRING = 300.0
"""Seconds after which Alertmanager resolves a test."""

ALERT_NAMES = {
    EventKind.HIGH_LOAD: "MonitorHighLoadComing",
    EventKind.ANOMALY: "MonitorAnomaly",
    EventKind.TEST: "MonitorNotificationTest",
}
"""Names of the alerts in Alertmanager: those of the shipped rules, so that routes and silences apply to both."""

CAPACITY_ALERT_NAMES = {"filesystem": "MonitorFilesystemFilling", "memory": "MonitorMemoryExhaustion"}
"""Names of the alerts of capacity events by resource, also those of the shipped rules."""

NTFY_PRIORITIES = {Severity.INFO: 3, Severity.WARNING: 4, Severity.CRITICAL: 5}


@dataclass(frozen=True)
class WebhookTarget:
    """Target of a request.

    Attributes:
        url: URL in the configuration; empty if it has none.
        routing_key: integration key of PagerDuty; empty for other services.
        now: time of the request, in seconds since the epoch.
    """

    url: str
    routing_key: str
    now: float


Request = tuple[str, JsonValue]
"""URL, and the data that is posted to it as JSON."""


def request_of(preset: str, event: Event, target: WebhookTarget) -> Request:
    """Return the request of an event.

    Raises:
        SendError: the URL does not fit the service.
    """
    return _PRESETS[preset](event, target)


def _generic(event: Event, target: WebhookTarget) -> Request:
    return target.url, {**_mapping(to_plain(event)), "text": event.text}


def _slack(event: Event, target: WebhookTarget) -> Request:
    lines = (f"*{_slack_text(event.title)}*", *map(_slack_text, event.lines), f"<{event.url}|Open monitor>")
    return target.url, {"text": "\n".join(lines)}


def _slack_text(text: str) -> str:
    """Return a text without the characters that Slack treats as markup of its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _mattermost(event: Event, target: WebhookTarget) -> Request:
    lines = (f"**{event.title}**", *(f"- {line}" for line in event.lines), f"[Open monitor]({event.url})")
    return target.url, {"text": "\n".join(lines)}


def _teams(event: Event, target: WebhookTarget) -> Request:
    blocks: list[JsonValue] = [{"type": "TextBlock", "text": event.title, "weight": "Bolder", "wrap": True}]
    blocks += [{"type": "TextBlock", "text": line, "wrap": True, "spacing": "Small"} for line in event.lines]
    card: JsonValue = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
        "actions": [{"type": "Action.OpenUrl", "title": "Open monitor", "url": event.url}],
    }
    attachment: JsonValue = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return target.url, {"type": "message", "attachments": [attachment]}


def _ntfy(event: Event, target: WebhookTarget) -> Request:
    """Return a message in JSON, which ntfy takes at the root of the server instead of at the topic."""
    parts = urlsplit(target.url)
    directory, _, topic = parts.path.rstrip("/").rpartition("/")
    if not topic:
        raise SendError("the URL of ntfy has no topic, as in https://ntfy.sh/TOPIC", rejected=True)
    ends = event.change.ends_incident
    return urlunsplit(parts._replace(path=f"{directory}/")), {
        "topic": topic,
        "title": event.title,
        "message": "\n".join(event.lines),
        "priority": NTFY_PRIORITIES[Severity.INFO if ends else event.severity],
        "tags": ["white_check_mark" if ends else "warning"],
        "click": event.url,
    }


def _pagerduty(event: Event, target: WebhookTarget) -> Request:
    return target.url or PAGERDUTY_URL, {
        "routing_key": target.routing_key,
        "event_action": "resolve" if event.change.ends_incident else "trigger",
        "dedup_key": event.incident,
        "payload": {
            "summary": event.title,
            "source": event.host,
            "severity": event.severity,
            "timestamp": _iso(event.at),
            "class": event.kind,
            "custom_details": to_plain(event),
        },
        "links": [{"href": event.url, "text": "Open monitor"}],
    }


def _alertmanager(event: Event, target: WebhookTarget) -> Request:
    """Return the alerts of an incident: one per severity so far, of which at most that of the event fires.

    The severity is a label, so that routes depend on it.
    """
    url = target.url.rstrip("/")
    alerts: list[JsonValue] = [
        _alert(event, severity, _ends_at(event, severity, target.now))
        for severity in event.severities or (event.severity,)
    ]
    return url if url.endswith(ALERTS_PATH) else f"{url}{ALERTS_PATH}", alerts


def _ends_at(event: Event, severity: Severity, now: float) -> float:
    if event.change is Change.TEST:
        return now + TEST_FIRING
    if event.change.ends_incident or severity is not event.severity:
        return event.at
    return now + MAX_FIRING


def _alert(event: Event, severity: Severity, ends_at: float) -> JsonValue:
    use = event.capacity
    name = ALERT_NAMES[event.kind] if use is None else CAPACITY_ALERT_NAMES[use.resource]
    labels: dict[str, JsonValue] = {
        "alertname": name,
        "instance": event.host,
        "job": "monitor",
        "severity": severity,
    }
    if use is not None and use.mountpoint is not None:
        labels["mountpoint"] = use.mountpoint
    return {
        "labels": labels,
        "annotations": {"summary": event.title, "description": "\n".join(event.lines)},
        "startsAt": _iso(event.started_at),
        "endsAt": _iso(ends_at),
        "generatorURL": event.url,
    }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _mapping(data: JsonValue) -> dict[str, Any]:
    return data if isinstance(data, dict) else {}


_PRESETS: dict[str, Callable[[Event, WebhookTarget], Request]] = {
    "generic": _generic,
    "slack": _slack,
    "mattermost": _mattermost,
    "teams": _teams,
    "ntfy": _ntfy,
    "pagerduty": _pagerduty,
    "alertmanager": _alertmanager,
}

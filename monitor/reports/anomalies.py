"""Reports on anomaly events and maintenance windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from model.units import DAY
from monitor.config.maintenance_windows import RecurringWindow, format_windows
from monitor.config.schema import AnomalyConfig
from monitor.queries.status import Overview
from monitor.reports.blocks import Line, Report, Table, Tone, Toned, fact
from monitor.stores import Stores
from monitor.system.formatting import approximate_duration, format_percent, format_time
from storage import AnomalyRecord, MaintenanceWindow

SHOWN = 30 * DAY
"""Seconds of the past that are listed."""

CHANNELS = {
    "joint": "metrics together, or one for hours",
    "spike": "a sudden jump of one metric",
    "flatline": "values that stopped changing",
}


def verdict_report(event: AnomalyRecord) -> Report:
    """Return the confirmation of a recorded verdict."""
    effect = "is learned as normal behaviour" if event.verdict == "expected" else "is excluded from training"
    return Report((f"anomaly {event.id}: verdict {event.verdict}; it {effect}",))


def maintenance_added_report(window: MaintenanceWindow, window_id: int) -> Report:
    """Return the confirmation of a new maintenance window."""
    period = f"from {format_time(window.starts_at)} to {format_time(window.ends_at)}"
    return Report((f"maintenance {window_id}: no anomaly is reported {period}",))


def maintenance_report(windows: Sequence[MaintenanceWindow], recurring: Sequence[RecurringWindow]) -> Report:
    """Return the table of the active and planned windows, and the configured recurring ones."""
    rows = [
        (str(window.id), format_time(window.starts_at), format_time(window.ends_at), window.note)
        for window in windows
    ]
    blocks: list[str | Line | Table] = ["no maintenance is active or planned"]
    if rows:
        blocks = [Table(("id", "from", "to", "note"), rows, words={"from", "to", "note"})]
    if recurring:
        blocks.append(f"each week (anomaly.maintenance): {format_windows(recurring)}")
    return Report(tuple(blocks))


def anomaly_list_report(found: Sequence[AnomalyRecord], since: float) -> Report:
    """Return the table of the events of the last `since` seconds."""
    if not found:
        return Report((f"no anomaly in the last {approximate_duration(since)}",))
    rows = [
        (
            str(a.id),
            format_time(a.started_at),
            Toned(_length(a), "bad" if a.ended_at is None else None),
            a.channel,
            f"{a.peak:.3f}",
            _most(a, 3),
            _called(a),
        )
        for a in found
    ]
    header = ("id", "began", "lasted", "kind", "score", "metrics", "called")
    return Report((Table(header, rows, words={"began", "lasted", "kind", "metrics", "called"}),))


def _called(one: AnomalyRecord) -> Toned:
    return Toned(one.verdict or "-", "caution" if one.verdict == "incident" else "faint")


def anomaly_report(one: AnomalyRecord, now: float) -> Report:
    """Return one event with the attribution to each metric."""
    ended = "goes on" if one.ended_at is None else f"ended {format_time(one.ended_at)}"
    lasted = (one.ended_at or now) - one.started_at
    tone: Tone | None = "bad" if one.ended_at is None else None
    told: list[Line] = [
        fact(
            "anomaly",
            f"{one.id}, began {format_time(one.started_at)}, ",
            Toned(ended, tone),
            f", {approximate_duration(max(lasted, 0.0))}",
        ),
        fact("evidence", f"{one.channel}: {CHANNELS.get(one.channel, one.channel)}"),
        fact("score", f"{one.peak:.4f} at {format_time(one.peak_at)}, by model {one.model_id}"),
    ]
    if one.verdict is not None:
        note = f": {one.note}" if one.note else ""
        told.append(fact("called", _called(one), f" at {format_time(one.verdict_at)}{note}"))
    rows = [(name, format_percent(share)) for name, share in one.contributions.items() if share >= 0.01]
    return Report((*told, Table(("metric", "share"), rows)))


def _length(one: AnomalyRecord) -> str:
    return "goes on" if one.ended_at is None else approximate_duration(one.ended_at - one.started_at)


def _most(one: AnomalyRecord, number: int) -> str:
    return ", ".join(f"{name} {format_percent(share)}" for name, share in list(one.contributions.items())[:number])


def anomalies_document(stores: Stores, config: AnomalyConfig, now: float) -> dict[str, Any]:
    """How many there were in the last 30 days beside what is allowed, and what they were called, as plain data."""
    found = [anomaly for anomaly in stores.anomalies.since(now - SHOWN) if anomaly.started_at > now - SHOWN]
    called = Counter(anomaly.verdict or "nothing" for anomaly in found)
    return {
        "days": SHOWN / DAY,
        "anomalies": len(found),
        "called": {name: called[name] for name in ("incident", "expected", "nothing")},
        "channels": dict(Counter(anomaly.channel for anomaly in found)),
        "allowed": config.false_alarms_per_month,
    }


def anomalies_report(told: dict[str, Any]) -> str:
    """The same in words."""
    called = ", ".join(f"{number} called {name}" for name, number in told["called"].items() if number)
    return (
        f"anomalies: {told['anomalies']} in the last {told['days']:.0f} days"
        f"{f' ({called})' if called else ''}; {told['allowed']:g} false ones are allowed"
    )


def anomaly_line(overview: Overview) -> str:
    """Of anomalies in a line of `status`."""
    one = overview.anomaly
    if one is not None and not overview.daemon_running:
        return f"{one.id} went on when the daemon ended; it began {format_time(one.started_at)}"
    if one is not None and overview.watching:
        return f"{one.id} goes on since {format_time(one.started_at)} ({one.channel}: {_most(one, 3)})"
    if not overview.watching:
        return f"not watched for yet: {overview.watching_waits_for or 'no detector has been learned'}"
    return (
        f"none now, {overview.anomalies} in the last 30 days; {overview.anomalies_allowed:g} false ones are allowed"
    )

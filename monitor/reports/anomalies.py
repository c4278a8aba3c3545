"""Anomalies for people, and the operator's word on them: what `monitor anomalies` does and prints."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from model.units import DAY
from monitor.config.maintenance_windows import format_windows
from monitor.config.schema import AnomalyConfig
from monitor.errors import UsageError
from monitor.queries.status import Overview
from monitor.reports.blocks import Line, Report, Table, Tone, Toned, fact
from monitor.stores import Stores
from monitor.system.formatting import LATEST, approximate_duration, format_percent, format_time
from storage import Anomaly, Maintenance

SHOWN = 30 * DAY
"""Seconds of the past that are listed."""

CHANNELS = {
    "joint": "metrics together, or one for hours",
    "spike": "a sudden jump of one metric",
    "flatline": "values that stopped changing",
}


def answer(stores: Stores, config: AnomalyConfig, arguments: Namespace, now: float) -> tuple[Any, Report]:
    """What a command finds or does, as plain data and in words.

    Args:
        stores: of the database.
        config: of anomalies.
        arguments: as typed.
        now: seconds since the epoch.

    Raises:
        UsageError: something is missing, or goes with another action.
        UnknownAnomalyError: there is no such anomaly.
        StorageError: the database refuses.
    """
    _check(arguments, now)
    if arguments.action == "maintenance":
        return _maintenance(stores, config, arguments, now)
    if arguments.action == "list":
        found = stores.anomalies.since(now - (arguments.since or SHOWN))
        return [asdict(anomaly) for anomaly in found], _listed(found, arguments.since or SHOWN)
    if arguments.action == "ack":
        if arguments.judgement is None:
            raise UsageError("anomalies ack needs --as expected or --as incident")
        stores.anomalies.judge(arguments.id, arguments.judgement, arguments.note, now)
        kept = stores.anomalies.get(arguments.id)
        means = "counts as routine from now on" if kept.judgement == "expected" else "is left out of what is learned"
        return asdict(kept), Report((f"anomaly {kept.id} is called {kept.judgement}: it {means}",))
    one = stores.anomalies.get(arguments.id)
    return asdict(one), _shown(one, now)


def _check(arguments: Namespace, now: float) -> None:
    """Whether what was typed goes together: what is left out in silence is thought to be done."""
    with_id = arguments.action in {"show", "ack"}
    takes = {
        "an id": (arguments.id, with_id),
        "--since": (arguments.since, arguments.action == "list"),
        "--as": (arguments.judgement, arguments.action == "ack"),
        "--note": (arguments.note, arguments.action == "ack" or arguments.duration is not None),
        "--for": (arguments.duration, arguments.action == "maintenance" and arguments.end is None),
        "--from": (arguments.at, arguments.duration is not None),
        "--end": (arguments.end, arguments.action == "maintenance"),
    }
    if arguments.action == "maintenance" and arguments.at is not None and arguments.duration is None:
        raise UsageError("anomalies maintenance --from needs --for, how long it lasts")
    for name, (value, fits) in takes.items():
        if value is not None and not fits:
            raise UsageError(f"anomalies {arguments.action} does nothing with {name} here")
    if with_id and arguments.id is None:
        raise UsageError(f"anomalies {arguments.action} needs the id of an anomaly")
    if arguments.at is not None and arguments.at + (arguments.duration or 0) <= now:
        raise UsageError("that maintenance would be over already")


def _maintenance(stores: Stores, config: AnomalyConfig, arguments: Namespace, now: float) -> tuple[Any, Report]:
    if arguments.end is not None:
        stores.anomalies.end_maintenance(arguments.end, now)
        return {"ended": arguments.end}, Report((f"maintenance {arguments.end} has ended",))
    if arguments.duration is not None:
        begins = now if arguments.at is None else arguments.at
        if begins + arguments.duration > LATEST:
            raise UsageError("that maintenance would end after the year 9999")
        window = Maintenance(begins, begins + arguments.duration, arguments.note or "")
        window_id = stores.anomalies.add_maintenance(window)
        until = f"from {format_time(window.begins_at)} to {format_time(window.ends_at)}"
        said = f"maintenance {window_id}: nothing is called an anomaly {until}"
        return {**asdict(window), "id": window_id}, Report((said,))
    found = stores.anomalies.maintenance(now)
    rows = [(str(w.id), format_time(w.begins_at), format_time(w.ends_at), w.note) for w in found]
    windows = (
        Table(("id", "from", "to", "note"), rows, words={"from", "to", "note"})
        if rows
        else "no maintenance is under way or planned"
    )
    weekly = f"each week (anomaly.maintenance): {format_windows(config.maintenance)}"
    return [asdict(window) for window in found], Report((windows, weekly) if config.maintenance else (windows,))


def _listed(found: Sequence[Anomaly], since: float) -> Report:
    if not found:
        return Report((f"no anomaly in the last {approximate_duration(since)}",))
    rows = [
        (
            str(a.id),
            format_time(a.began_at),
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


def _called(one: Anomaly) -> Toned:
    return Toned(one.judgement or "-", "caution" if one.judgement == "incident" else "faint")


def _shown(one: Anomaly, now: float) -> Report:
    ended = "goes on" if one.ended_at is None else f"ended {format_time(one.ended_at)}"
    lasted = (one.ended_at or now) - one.began_at
    tone: Tone | None = "bad" if one.ended_at is None else None
    told: list[Line] = [
        fact(
            "anomaly",
            f"{one.id}, began {format_time(one.began_at)}, ",
            Toned(ended, tone),
            f", {approximate_duration(max(lasted, 0.0))}",
        ),
        fact("evidence", f"{one.channel}: {CHANNELS.get(one.channel, one.channel)}"),
        fact("score", f"{one.peak:.4f} at {format_time(one.peak_at)}, by model {one.model_id}"),
    ]
    if one.judgement is not None:
        note = f": {one.note}" if one.note else ""
        told.append(fact("called", _called(one), f" at {format_time(one.judged_at)}{note}"))
    rows = [(name, format_percent(share)) for name, share in one.shares.items() if share >= 0.01]
    return Report((*told, Table(("metric", "share"), rows)))


def _length(one: Anomaly) -> str:
    return "goes on" if one.ended_at is None else approximate_duration(one.ended_at - one.began_at)


def _most(one: Anomaly, number: int) -> str:
    return ", ".join(f"{name} {format_percent(share)}" for name, share in list(one.shares.items())[:number])


def anomalies_document(stores: Stores, config: AnomalyConfig, now: float) -> dict[str, Any]:
    """How many there were in the last 30 days beside what is allowed, and what they were called, as plain data."""
    found = [anomaly for anomaly in stores.anomalies.since(now - SHOWN) if anomaly.began_at > now - SHOWN]
    called = Counter(anomaly.judgement or "nothing" for anomaly in found)
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
        return f"{one.id} went on when the daemon ended; it began {format_time(one.began_at)}"
    if one is not None and overview.watching:
        return f"{one.id} goes on since {format_time(one.began_at)} ({one.channel}: {_most(one, 3)})"
    if not overview.watching:
        return f"not watched for yet: {overview.watching_waits_for or 'no detector has been learned'}"
    return (
        f"none now, {overview.anomalies} in the last 30 days; {overview.anomalies_allowed:g} false ones are allowed"
    )

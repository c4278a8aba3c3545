"""Anomaly reports: events, verdicts and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.documents.anomalies import (
    AnomalyDetailsDocument,
    AnomalyDocument,
    MetricValueDocument,
    ProcessSnapshotDocument,
)
from monitor.documents.status import StatusDocument
from monitor.reports.blocks import Block, Line, Report, Table, Tone, Toned, heading, labelled_line
from monitor.sampling.metric_catalog import format_value
from monitor.system.formatting import (
    ABSENT,
    approximate_duration,
    format_bytes,
    format_clock,
    format_count,
    format_percent,
    format_quantity,
    format_time,
)
from storage import Verdict

CHANNELS = {
    "joint": "an unusual combination of metrics, or one unusual metric for hours",
    "spike": "a sudden jump of one metric",
    "flatline": "values that stopped changing",
}
"""Explanation of each channel."""

VERDICT_EFFECTS = {
    Verdict.EXPECTED: "counts as normal behaviour",
    Verdict.INCIDENT: "is excluded from training",
}
"""Consequence of each verdict."""

EVENT_HEADER = ("id", "start", "duration", "channel", "score", "metrics", "mode", "verdict")

EVENT_WORDS = frozenset(EVENT_HEADER) - {"id", "score"}
"""Columns whose text may wrap at spaces."""

VALUE_HEADER = ("metric", "actual", "expected", "contribution", "normal range", "usual", "time")
SIMILAR_HEADER = ("id", "start", "channel", "similarity", "verdict", "note")

PROCESS_HEADER = ("process", "pid", "CPUs", "memory", "disk read", "disk write", "command line")

LISTED_PROCESSES = 3
LISTED_CONTRIBUTIONS = 3
SMALLEST_CONTRIBUTION = 0.01
"""Smallest contribution that the table of one event lists; all contributions sum to 1."""


def anomalies_report(events: Sequence[AnomalyDocument], period: float) -> Report:
    """Return a table of the events; if there are none, a line that states the `period` (seconds)."""
    if not events:
        return Report((f"no anomaly in the last {approximate_duration(period)}",))
    rows = [
        (
            str(event.id),
            format_time(event.started_at),
            Toned(_duration(event), "bad" if event.ended_at is None else None),
            event.channel,
            f"{event.peak:.3f}",
            contribution_text(event.contributions),
            Toned("replayed", "faint") if event.replayed else "live",
            _verdict(event),
        )
        for event in events
    ]
    return Report((Table(EVENT_HEADER, rows, words=EVENT_WORDS),))


def anomaly_report(event: AnomalyDetailsDocument, now: float) -> Report:
    """Return the report of one event with its context; `now` is in seconds since the epoch."""
    length = approximate_duration(max((event.ended_at or now) - event.started_at, 0.0))
    end = "in progress" if event.ended_at is None else f"ended {format_time(event.ended_at)}"
    tone: Tone | None = "bad" if event.ended_at is None else None
    started = f"{event.id}, started {format_time(event.started_at)}, "
    lines: list[Line] = [
        labelled_line("anomaly", started, Toned(end, tone), f", {length}"),
        labelled_line("evidence", f"{event.channel}: {CHANNELS.get(event.channel, event.channel)}"),
        labelled_line("score", f"{event.peak:.4f} at {format_time(event.peak_at)}, by model {event.model_id}"),
    ]
    if event.replayed:
        lines.append(
            labelled_line("mode", "replayed: found in stored history by a detector fitted on earlier samples")
        )
    if event.verdict is not None:
        note = f": {event.note}" if event.note else ""
        lines.append(labelled_line("verdict", _verdict(event), f" at {format_time(event.verdict_at)}{note}"))
    elif event.note:
        lines.append(labelled_line("note", event.note))
    return Report((*lines, _expectation_line(event), _values(event), *_similar(event), *_processes(event.processes)))


def _expectation_line(event: AnomalyDetailsDocument) -> Line:
    """Return the source of the expected values, or the reason why there are none."""
    expectation = event.expectation
    if expectation.missing is not None:
        return labelled_line("expected", Toned(f"not known: {expectation.message}", "caution"))
    source = "which reported the event" if expectation.detected else "as the one of the event is not stored"
    return labelled_line("expected", f"by the detector of model {expectation.model_id}, {source}")


def _values(event: AnomalyDetailsDocument) -> Table:
    rows = [
        (
            value.metric,
            format_value(value.metric, value.actual),
            format_value(value.metric, value.expected),
            format_percent(value.contribution),
            ABSENT if value.lower is None else _range_text(value),
            format_value(value.metric, value.usual),
            ABSENT if value.at is None else format_clock(value.at),
        )
        for value in event.values
        if value.contribution >= SMALLEST_CONTRIBUTION
    ]
    return Table(VALUE_HEADER, rows, words={"normal range"})


def _range_text(value: MetricValueDocument) -> str:
    return f"{format_value(value.metric, value.lower)} to {format_value(value.metric, value.upper)}"


def _similar(event: AnomalyDetailsDocument) -> tuple[Block, ...]:
    """Return a table of the similar earlier events; empty if there are none."""
    rows = [
        (
            str(other.id),
            format_time(other.started_at),
            other.channel,
            f"{other.similarity:.2f}",
            other.verdict or ABSENT,
            other.note or ABSENT,
        )
        for other in event.similar
    ]
    table = Table(SIMILAR_HEADER, rows, words={"start", "note"})
    return ("", heading("similar earlier events"), table) if rows else ()


def _processes(snapshot: ProcessSnapshotDocument | None) -> tuple[Block, ...]:
    """Return the processes when the event began; empty if they were not recorded."""
    return () if snapshot is None else ("", *processes_report(snapshot).blocks)


def processes_report(snapshot: ProcessSnapshotDocument) -> Report:
    """Return a heading and a table of the processes."""
    # Without command lines, the last column is left out.
    has_command_lines = any(process.command_line is not None for process in snapshot.processes)
    columns = len(PROCESS_HEADER) if has_command_lines else len(PROCESS_HEADER) - 1
    rows = [
        (
            process.name,
            str(process.pid),
            f"{process.cpu:.2f}",
            format_bytes(process.memory),
            format_quantity(process.disk_read, "bytes_per_second"),
            format_quantity(process.disk_write, "bytes_per_second"),
            process.command_line or ABSENT,
        )[:columns]
        for process in snapshot.processes
    ]
    table = Table(PROCESS_HEADER[:columns], rows, words={"command line"})
    return Report((heading(snapshot_text(snapshot)), table))


def snapshot_text(snapshot: ProcessSnapshotDocument) -> str:
    """Return the time and the extent of a process snapshot in one phrase."""
    visited = format_count(snapshot.visited, "process", "processes")
    limited = "" if snapshot.complete else ", others left out at the limit"
    hidden = f", I/O of {snapshot.io_hidden} hidden from this user" if snapshot.io_hidden else ""
    return f"largest processes at {format_time(snapshot.at)}, of {visited}{limited}{hidden}"


def process_text(snapshot: ProcessSnapshotDocument) -> str:
    """Return the LISTED_PROCESSES processes with most processor time in one line."""
    listed = snapshot.processes[:LISTED_PROCESSES]
    return ", ".join(f"{process.name} ({process.pid}) {process.cpu:.2f} CPU" for process in listed)


def verdict_report(event: AnomalyDocument) -> Report:
    """Return one line that confirms a recorded verdict."""
    effect = "" if event.verdict is None else f"; it {VERDICT_EFFECTS[event.verdict]}"
    return Report((f"anomaly {event.id}: verdict {event.verdict}{effect}",))


def note_report(event: AnomalyDocument) -> Report:
    """Return one line that confirms a recorded or deleted note."""
    return Report((f"anomaly {event.id}: {'note recorded' if event.note else 'no note'}",))


def contribution_text(contributions: Mapping[str, float]) -> str:
    """Return the LISTED_CONTRIBUTIONS largest contributions in one line; `contributions` is in descending order."""
    listed = list(contributions.items())[:LISTED_CONTRIBUTIONS]
    return ", ".join(f"{metric} {format_percent(contribution)}" for metric, contribution in listed)


def _duration(event: AnomalyDocument) -> str:
    if event.ended_at is None:
        return "in progress"
    return approximate_duration(event.ended_at - event.started_at)


def _verdict(event: AnomalyDocument) -> Toned:
    return Toned(event.verdict or "-", "caution" if event.verdict == Verdict.INCIDENT else "faint")


def detection_text(status: StatusDocument) -> Toned:
    """Return the state of the anomaly detection in one phrase."""
    detection = status.anomalies
    event = detection.active
    if event is not None and not status.daemon_running:
        started = format_time(event.started_at)
        return Toned(f"event {event.id} was in progress when the daemon stopped; it started {started}", "bad")
    if event is not None and detection.detecting:
        contributions = contribution_text(event.contributions)
        started = format_time(event.started_at)
        return Toned(f"event {event.id} in progress since {started} ({event.channel}: {contributions})", "bad")
    if not detection.detecting:
        return Toned(f"not detected yet: {detection.waiting_for or 'no detector has been trained'}", None)
    count = f"{detection.last_30_days} in the last 30 days"
    if detection.scores_from is not None and status.daemon_running:
        return Toned(f"no score until {format_time(detection.scores_from)}: samples were missing; {count}", None)
    return Toned(f"none in progress, {count}; {detection.allowed_in_30_days:g} false alarms are allowed", None)

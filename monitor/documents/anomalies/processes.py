"""Process documents: processes at the start of a warning or an anomaly."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.sampling.processes.top_processes import TopProcesses
from monitor.system.formatting import format_duration
from storage import ProcessSnapshot, ProcessUsage


@dataclass(frozen=True)
class ProcessDocument:
    """Resources that one process used during a snapshot.

    Attributes:
        pid: process ID.
        name: name of the program, at most 15 characters.
        cpu: processor time per second; 1 is one CPU that is fully used.
        memory: resident memory in bytes.
        disk_read: bytes per second read from storage; None if the kernel does not show them to this user.
        disk_write: bytes per second written to storage; None as for `disk_read`.
        command_line: program and arguments; None unless `events.command_lines` is true.
    """

    pid: int
    name: str
    cpu: float
    memory: int
    disk_read: float | None
    disk_write: float | None
    command_line: str | None


@dataclass(frozen=True)
class ProcessSnapshotDocument:
    """Processes that used most resources at one time, such as the start of a warning or an anomaly.

    Attributes:
        at: end of the snapshot in seconds since the epoch.
        seconds: time between its two readings.
        visited: number of processes that were read.
        io_hidden: number of these processes whose I/O the kernel does not show to this user.
        complete: False if the limit of processes or of time left out others.
        processes: the five largest by processor time, by memory and by I/O; most processor time first.
    """

    at: float
    seconds: float
    visited: int
    io_hidden: int
    complete: bool
    processes: tuple[ProcessDocument, ...]


@dataclass(frozen=True)
class WarningDocument:
    """Start of a high-load warning; an entry of /api/v1/warnings and of `monitor report`.

    Attributes:
        started_at: time of the prediction with which the warning started, in seconds since the epoch.
        horizon: seconds.
        horizon_name: the horizon as in the configuration.
        probability: probability of high load within the horizon.
        processes: processes at that time.
    """

    started_at: float
    horizon: float
    horizon_name: str
    probability: float
    processes: ProcessSnapshotDocument


def process_snapshot_document(snapshot: ProcessSnapshot | TopProcesses, at: float) -> ProcessSnapshotDocument:
    """Convert a snapshot that ended at `at` (seconds since the epoch) to its JSON document."""
    return ProcessSnapshotDocument(
        at=at,
        seconds=round(snapshot.seconds, 3),
        visited=snapshot.visited,
        io_hidden=snapshot.io_hidden,
        complete=snapshot.complete,
        processes=tuple(map(_process_document, snapshot.processes)),
    )


def warning_document(snapshot: ProcessSnapshot) -> WarningDocument:
    """Convert the snapshot of a warning to the JSON document of the warning."""
    horizon = snapshot.horizon or 0.0
    return WarningDocument(
        started_at=snapshot.started_at,
        horizon=horizon,
        horizon_name=format_duration(horizon),
        probability=snapshot.probability or 0.0,
        processes=process_snapshot_document(snapshot, snapshot.at),
    )


def _process_document(usage: ProcessUsage) -> ProcessDocument:
    return ProcessDocument(
        pid=usage.pid,
        name=usage.name,
        cpu=round(usage.cpu, 3),
        memory=usage.memory,
        disk_read=_rounded(usage.disk_read),
        disk_write=_rounded(usage.disk_write),
        command_line=usage.command_line,
    )


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate)

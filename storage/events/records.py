"""Records of the event context; units as in `storage.records`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessUsage:
    """Resources that one process used during a snapshot.

    Attributes:
        pid: process ID.
        name: name of the program, at most 15 characters.
        cpu: processor time per second; 1 is one CPU that is fully used.
        memory: resident memory in bytes.
        disk_read: bytes per second read from storage; None if the kernel does not show them to this user.
        disk_write: bytes per second written to storage; None as for `disk_read`.
        command_line: program and arguments; None if command lines are not recorded.
    """

    pid: int
    name: str
    cpu: float
    memory: int
    disk_read: float | None = None
    disk_write: float | None = None
    command_line: str | None = None


@dataclass(frozen=True, slots=True)
class ProcessSnapshot:
    """Processes that used most resources when a warning or an anomaly began.

    Exactly one of `anomaly_id` and `horizon` is set.

    Attributes:
        at: end of the snapshot.
        started_at: start of the warning or the anomaly.
        anomaly_id: ID of the anomaly event; None for a warning.
        horizon: horizon of the warning in seconds; None for an anomaly.
        probability: probability of high load at the start of the warning; None for an anomaly.
        seconds: time between the two readings.
        visited: number of processes that were read.
        io_hidden: number of these processes whose I/O the kernel does not show to this user.
        complete: False if the limit of processes or of time left out others.
        processes: processes with the largest use, most processor time first.
        id: 0 until the snapshot is stored.
    """

    at: float
    started_at: float
    anomaly_id: int | None
    horizon: float | None
    probability: float | None
    seconds: float
    visited: int
    io_hidden: int
    complete: bool
    processes: tuple[ProcessUsage, ...]
    id: int = 0

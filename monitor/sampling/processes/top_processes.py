"""Top processes: those that use most processor time, memory and I/O, from two readings.

All costs are bounded: each reading visits at most MAX_PROCESSES processes and ends after TIME_LIMIT seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from monitor.system.redaction import redact_credentials
from storage import ProcessUsage

MAX_PROCESSES = 4096
"""Largest number of processes that one reading visits, in the order of their IDs."""

TIME_LIMIT = 2.0
"""Seconds after which a reading visits no further process."""

READING_INTERVAL = 1.0
"""Seconds between the two readings."""

LISTED = 5
"""Number of processes listed for each of processor time, memory and I/O."""

MAX_COMMAND_LINE = 200
"""Largest number of characters of a command line."""

UNREADABLE = (psutil.Error, OSError, ValueError, IndexError)
"""Errors of a process that has ended, may not be read, or has a malformed entry in /proc."""


@dataclass(frozen=True)
class ProcessReading:
    """Counters of one process.

    Attributes:
        name: name of the program, at most 15 characters.
        cpu_seconds: processor time since the start of the process.
        memory: resident memory in bytes.
        io_bytes: bytes read from and written to storage since the start; None if the kernel does not show them.
    """

    name: str
    cpu_seconds: float
    memory: int
    io_bytes: tuple[int, int] | None


@dataclass(frozen=True)
class Reading:
    """Counters of all processes that were visited.

    Attributes:
        at: time of the reading in seconds of the monotonic clock.
        processes: counters by process ID and start time, because the kernel uses an ID again.
        complete: False if a limit left out processes.
    """

    at: float
    processes: dict[tuple[int, float], ProcessReading]
    complete: bool


@dataclass(frozen=True)
class TopProcesses:
    """Processes with the largest use between two readings.

    Attributes:
        seconds: time between the readings.
        visited: number of processes of the first reading.
        io_hidden: number of processes in both readings whose I/O the kernel does not show to this user.
        complete: False if a limit left out processes.
        processes: processes that are among the LISTED largest in any respect, most processor time first.
    """

    seconds: float
    visited: int
    io_hidden: int
    complete: bool
    processes: tuple[ProcessUsage, ...]


def read_top_processes(*, command_lines: bool, wait: Callable[[float], object] = time.sleep) -> TopProcesses:
    """Read all processes twice, READING_INTERVAL apart, and return those with the largest use.

    A process that starts or ends between the readings is left out.

    Args:
        command_lines: True to add the command lines of the listed processes.
        wait: waits for a number of seconds.
    """
    first = read_processes(psutil.pids())
    wait(READING_INTERVAL)
    second = read_processes(pid for pid, _ in first.processes)
    seconds = max(second.at - first.at, 1e-3)
    used = [
        _usage(key[0], first.processes[key], last, seconds)
        for key, last in second.processes.items()
        if key in first.processes
    ]
    listed = _largest(used)
    return TopProcesses(
        seconds=seconds,
        visited=len(first.processes),
        io_hidden=sum(usage.disk_read is None for usage in used),
        complete=first.complete and second.complete,
        processes=tuple(_with_command_line(usage) for usage in listed) if command_lines else tuple(listed),
    )


def read_processes(pids: Iterable[int], clock: Callable[[], float] = time.monotonic) -> Reading:
    """Read the counters of processes; leave out those that have ended or cannot be read.

    Args:
        pids: process IDs.
        clock: returns monotonic seconds.
    """
    at = clock()
    processes: dict[tuple[int, float], ProcessReading] = {}
    for number, pid in enumerate(pids):
        if number >= MAX_PROCESSES or clock() - at > TIME_LIMIT:
            return Reading(at, processes, complete=False)
        try:
            process = psutil.Process(pid)
            processes[pid, process.create_time()] = _read_process(process)
        except UNREADABLE:
            continue
    return Reading(at, processes, complete=True)


def _read_process(process: psutil.Process) -> ProcessReading:
    with process.oneshot():
        times = process.cpu_times()
        return ProcessReading(
            name=_program_name(process.pid),
            cpu_seconds=times.user + times.system,
            memory=process.memory_info().rss,
            io_bytes=_io_bytes(process),
        )


def _program_name(pid: int) -> str:
    """Return the name of the program of a process; psutil would also read its command line."""
    comm = Path(psutil.PROCFS_PATH, str(pid), "comm").read_bytes()
    return comm.decode(errors="replace").rstrip("\n")


def _io_bytes(process: psutil.Process) -> tuple[int, int] | None:
    """Return the bytes read and written by a process; None if only its user and root may see them."""
    try:
        counters = process.io_counters()
    except (psutil.AccessDenied, PermissionError):
        return None
    return counters.read_bytes, counters.write_bytes


def _usage(pid: int, first: ProcessReading, last: ProcessReading, seconds: float) -> ProcessUsage:
    disk_read = disk_write = None
    if first.io_bytes is not None and last.io_bytes is not None:
        disk_read, disk_write = (
            max(after - before, 0) / seconds for before, after in zip(first.io_bytes, last.io_bytes, strict=True)
        )
    return ProcessUsage(
        pid=pid,
        name=last.name,
        cpu=max(last.cpu_seconds - first.cpu_seconds, 0.0) / seconds,
        memory=last.memory,
        disk_read=disk_read,
        disk_write=disk_write,
    )


def _largest(used: list[ProcessUsage]) -> list[ProcessUsage]:
    """Return the processes that are among the LISTED largest in processor time, memory or I/O."""
    largest: dict[int, ProcessUsage] = {}
    for amount in (_cpu, _memory, _io):
        ranked = sorted(used, key=amount, reverse=True)[:LISTED]
        largest |= {usage.pid: usage for usage in ranked if amount(usage) > 0}
    return sorted(largest.values(), key=lambda usage: (-usage.cpu, -usage.memory))


def _cpu(usage: ProcessUsage) -> float:
    return usage.cpu


def _memory(usage: ProcessUsage) -> float:
    return usage.memory


def _io(usage: ProcessUsage) -> float:
    return (usage.disk_read or 0.0) + (usage.disk_write or 0.0)


def _with_command_line(usage: ProcessUsage) -> ProcessUsage:
    """Return a process with its command line, cut to MAX_COMMAND_LINE and without credentials of URLs."""
    try:
        words = psutil.Process(usage.pid).cmdline()
    except UNREADABLE:
        return usage
    line = redact_credentials(" ".join(words).replace("\n", " "))
    return replace(usage, command_line=line[:MAX_COMMAND_LINE])

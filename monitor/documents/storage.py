"""Storage status document: writes of the daemon to its database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.system.formatting import format_count

if TYPE_CHECKING:
    from monitor.sampling.storage_state import StorageState


@dataclass(frozen=True)
class StorageStatus:
    """State of the writes of the daemon to its database.

    Attributes:
        problem: reason why samples wait in memory, such as "disk full"; None while they are stored.
        message: error and advice for people; empty while there is no problem.
        samples_buffered: number of samples that wait in memory.
        samples_dropped: number of samples lost since the start, because too many waited.
        write_failures: number of failed writes since the start.
        quarantines: number of damaged files moved aside since the start.
    """

    problem: str | None
    message: str
    samples_buffered: int
    samples_dropped: int
    write_failures: int
    quarantines: int


def storage_problems(storage: StorageStatus) -> tuple[str, ...]:
    """Return one sentence on the samples that wait, and one on the samples that were lost, if there are any."""
    problems = []
    if storage.problem is not None:
        waiting = format_count(storage.samples_buffered, "sample")
        problems.append(f"{waiting} in memory, not stored ({storage.problem}): {storage.message}")
    if storage.samples_dropped:
        lost = format_count(storage.samples_dropped, "sample")
        problems.append(f"{lost} lost since the start of the daemon: too many waited for the database")
    return tuple(problems)


def quarantine_notice(files: int) -> str:
    """Return a sentence on the damaged databases that were moved aside; empty if there are none."""
    if not files:
        return ""
    moved = format_count(files, "damaged database")
    return f"{moved} moved aside: `monitor doctor --salvage FILE` copies what can be read, then move FILE away"


def storage_status(storage: StorageState) -> StorageStatus:
    """Convert the state of the writes to its JSON document."""
    return StorageStatus(
        problem=None if storage.problem is None else storage.problem.value,
        message=storage.message,
        samples_buffered=storage.samples_buffered,
        samples_dropped=storage.samples_dropped,
        write_failures=storage.write_failures,
        quarantines=storage.quarantines,
    )

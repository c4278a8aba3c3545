"""Storage state: waiting samples and failed writes, for metrics and status."""

from __future__ import annotations

from dataclasses import dataclass

from storage import StorageErrorKind


@dataclass(frozen=True)
class StorageState:
    """State of the writes to the database.

    Attributes:
        problem: reason why samples cannot be stored; None while they can.
        message: error message for people; empty while there is no problem.
        samples_buffered: number of samples in memory that are not stored; one that is being stored is included.
        samples_dropped: number of samples dropped from memory since the start, because the buffer was full.
        write_failures: number of failed writes since the start.
        quarantines: number of damaged files moved aside since the start.
    """

    problem: StorageErrorKind | None = None
    message: str = ""
    samples_buffered: int = 0
    samples_dropped: int = 0
    write_failures: int = 0
    quarantines: int = 0

"""Storage documents: writes of the daemon to its database, and copies of databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.system.formatting import format_count

if TYPE_CHECKING:
    from monitor.sampling.storage_state import StorageState
    from storage.transfer import TableCopy


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


@dataclass(frozen=True)
class MigratedTable:
    """Table that `monitor migrate-store` copied.

    Attributes:
        table: name of the table.
        rows: number of rows copied and verified.
        damaged: number of rows with values of unexpected types, which were left out.
        checksum: checksum of the rows, the same in both databases.
    """

    table: str
    rows: int
    damaged: int
    checksum: str


@dataclass(frozen=True)
class MigrationDocument:
    """Result of `monitor migrate-store`.

    Attributes:
        source: name of the database that was read.
        target: name of the database that was written.
        rows: number of all rows copied.
        damaged: number of all rows left out.
        tables: tables in the order of the copy.
    """

    source: str
    target: str
    rows: int
    damaged: int
    tables: tuple[MigratedTable, ...]


def migration_document(source: str, target: str, copies: Sequence[TableCopy]) -> MigrationDocument:
    """Convert the results of a copy to their JSON document."""
    return MigrationDocument(
        source=source,
        target=target,
        rows=sum(copy.rows for copy in copies),
        damaged=sum(copy.damaged for copy in copies),
        tables=tuple(MigratedTable(copy.table, copy.rows, copy.damaged, copy.digest) for copy in copies),
    )


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

"""Copy of a database: all tables in one transaction, verified by counts and digests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Table, delete, func, insert, select

from storage.database import Database
from storage.database.portable import continue_ids
from storage.errors import StorageError
from storage.schema import metadata
from storage.transfer.stored_rows import TableDigest, is_valid, read_batches, writable

OnProgress = Callable[[str, int, int], None]
"""Called with the name of a table, the number of rows read so far and their total."""


class TargetNotEmptyError(StorageError):
    """Raised if the target of a copy has rows already."""


class VerificationError(StorageError):
    """Raised if the rows of the target differ from those of the source after the copy; the target is unchanged."""


@dataclass(frozen=True)
class TableCopy:
    """Result of the copy of one table.

    Attributes:
        table: name of the table.
        rows: number of rows copied and verified.
        damaged: number of rows with values of unexpected types, which are left out.
        digest: sum of the digests of the rows, as 32 hexadecimal digits.
    """

    table: str
    rows: int
    damaged: int
    digest: str


def copy_database(
    source: Database, target: Database, on_progress: OnProgress = lambda *_: None, *, replace: bool = False
) -> list[TableCopy]:
    """Copy all rows from one database to another, in one snapshot and one transaction.

    The target has either all rows or is unchanged, whenever the process ends.

    Args:
        source: open database with the schema of this release.
        target: open database with the schema of this release.
        on_progress: called after each batch.
        replace: True to delete the rows of the target first, in the same transaction.

    Raises:
        TargetNotEmptyError: the target has rows, and `replace` is False.
        VerificationError: the rows of the target differ from those of the source.
        StorageError: a database refuses an operation.
    """
    # The order of the foreign keys.
    tables = [stored for stored in metadata.sorted_tables if stored.columns.get("host_id") is not None]
    with source.reading() as reading, target.writing() as writing:
        _clear(target, writing, tables, replace=replace)
        return [_copy_table(target, reading, writing, stored, on_progress) for stored in tables]


def _clear(target: Database, connection: Connection, tables: list[Table], *, replace: bool) -> None:
    """Delete the rows of the target, or check that it has none."""
    for stored in reversed(tables):
        if replace:
            connection.execute(delete(stored))
        elif connection.execute(select(stored.c.host_id).limit(1)).first() is not None:
            raise TargetNotEmptyError(
                f"{target.name}: its table {stored.name} has rows; --replace deletes them first"
            )


def _copy_table(
    target: Database, reading: Connection, writing: Connection, stored: Table, on_progress: OnProgress
) -> TableCopy:
    total = reading.scalar(select(func.count()).select_from(stored)) or 0
    names = stored.columns.keys()
    columns = list(stored.columns)
    statement = insert(writable(stored))
    expected = TableDigest(stored)
    damaged = 0
    for batch in read_batches(reading, stored):
        valid = [row for row in batch if is_valid(row, columns)]
        damaged += len(batch) - len(valid)
        if valid:
            writing.execute(statement, [dict(zip(names, row, strict=True)) for row in valid])
        expected.add(valid)
        on_progress(stored.name, expected.rows + damaged, total)
    if "id" in names:
        continue_ids(writing, stored)
    _verify(target, writing, stored, expected)
    return TableCopy(stored.name, expected.rows, damaged, f"{expected.value:032x}")


def _verify(target: Database, connection: Connection, stored: Table, expected: TableDigest) -> None:
    """Compare the rows of a table of the target with the digest of the source.

    Raises:
        VerificationError: they differ.
    """
    actual = TableDigest(stored)
    for batch in read_batches(connection, stored):
        actual.add(batch)
    if (actual.rows, actual.value) != (expected.rows, expected.value):
        detail = f"its table {stored.name} has other rows than the source"
        raise VerificationError(f"{target.name}: {detail}; nothing was copied")

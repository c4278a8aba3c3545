"""The shortest way of a few rows to the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, insert

from storage.database import Database
from storage.failures import storage_errors


class RowWriter:
    """Commits a few rows of one table at a time. Safe to use from several threads.

    The statement is built once for each number of rows and goes straight to the driver, over a connection of the
    pool. SQLAlchemy's own way costs as much again as the commit, once every interval for months.
    """

    def __init__(self, database: Database, table: Table) -> None:
        self._database, self._table = database, table
        self._taken: type[Exception] = database.engine.dialect.loaded_dbapi.IntegrityError
        self._statements: dict[int, tuple[str, list[str] | None]] = {}

    def __call__(self, *rows: Mapping[str, float | None]) -> None:
        """Commits rows together.

        Args:
            rows: each with a value for every column.

        Raises:
            KeyTakenError: a row with the key of one is there already; none is stored.
            StorageError: whatever else the database refuses, in one line.
        """
        statement, values = self._prepared(rows)
        with storage_errors(self._database.name):
            connection = self._database.engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(statement, values)
                cursor.close()
                # SQLite has committed a lone statement by itself; other databases wait for this.
                connection.commit()
            except self._taken:
                raise
            except Exception:
                # The next one gets a new connection: this one may stand on a file that is broken or gone.
                connection.invalidate()
                raise
            finally:
                connection.close()

    def _prepared(self, rows: Sequence[Mapping[str, float | None]]) -> tuple[str, Any]:
        """One statement for all rows, with its values as the driver wants them."""
        if len(rows) not in self._statements:
            names = [column.name for column in self._table.columns]
            query = insert(self._table).values([dict.fromkeys(names) for _ in rows])
            compiled = query.compile(dialect=self._database.engine.dialect)
            self._statements[len(rows)] = str(compiled), compiled.positiontup
        statement, order = self._statements[len(rows)]
        values = {f"{name}_m{i}": value for i, row in enumerate(rows) for name, value in row.items()}
        return statement, values if order is None else [values[name] for name in order]

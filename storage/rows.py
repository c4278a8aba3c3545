"""The shortest way of one row to the disk."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Table, insert

from storage.database import Database
from storage.failures import storage_errors


class RowWriter:
    """Commits single rows of one table. Safe to use from several threads.

    The statement is built once and goes straight to the driver, over a connection of the pool. SQLAlchemy's own way
    costs as much again as the commit, once every interval for months.
    """

    def __init__(self, database: Database, table: Table) -> None:
        self._database = database
        dialect = database.engine.dialect
        compiled = insert(table).compile(dialect=dialect)
        self._statement = str(compiled)
        self._order = compiled.positiontup
        self._taken: type[Exception] = dialect.loaded_dbapi.IntegrityError

    def __call__(self, row: Mapping[str, float | None]) -> None:
        """Commits one row.

        Args:
            row: a value for every column.

        Raises:
            KeyTakenError: a row with this key is there already.
            StorageError: whatever else the database refuses, in one line.
        """
        values = row if self._order is None else tuple(row[name] for name in self._order)
        with storage_errors(self._database.name):
            connection = self._database.engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(self._statement, values)
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

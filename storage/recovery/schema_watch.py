"""Schema watch: detection of tables and columns that another program removes from an open database."""

from __future__ import annotations

from typing import Any

from storage.database import Database
from storage.errors import SchemaTooNewError, StorageError, StorageErrorKind
from storage.migrations.runner import needs_migration


class SchemaWatch:
    """Watch of the schema of one database; a complete check takes milliseconds and is made only after a suspicion."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._version = 0

    def record(self, connection: Any) -> None:
        """Remember the schema as complete; call it after the database was opened.

        Args:
            connection: open connection of the driver.
        """
        self._version = _schema_version(connection)
        self._database.statement_refused = False

    def is_damaged(self, connection: Any, *, compare: bool) -> bool:
        """Return True if a table or a column of this release's schema is missing.

        The check is made if SQLite has refused a statement since the last check.

        Args:
            connection: open connection of the driver.
            compare: True to check also after a change of the schema, whose detection reads one page.

        Raises:
            SQLAlchemyError: the schema cannot be read.
        """
        if not self._database.statement_refused and not (compare and _schema_version(connection) != self._version):
            return False
        try:
            needs_migration(self._database.engine, self._database.name)
        except SchemaTooNewError:
            # The statements of this release may still work. If they do not, the samples wait for the newer release.
            pass
        except StorageError as error:
            return error.kind is StorageErrorKind.SCHEMA_DAMAGED
        self.record(connection)
        return False


def _schema_version(connection: Any) -> int:
    """Return the number that SQLite increments with every change of the schema."""
    (version,) = connection.execute("PRAGMA schema_version").fetchone()
    return int(version)

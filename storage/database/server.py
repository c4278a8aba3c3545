"""Server: the schema of one host in a database of PostgreSQL."""

from __future__ import annotations

from sqlalchemy import URL, Connection, Engine, text

from storage.errors import StorageError, StorageErrorKind
from storage.postgresql.addresses import schema_of, shown_name
from storage.postgresql.keys import lock_key
from storage.postgresql.locks import AdvisoryLock, advisory_lock_holder

_HAS_SCHEMA = text("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = :schema)")

_SIZE = text(
    "SELECT COALESCE(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class "
    "WHERE relnamespace = to_regnamespace(quote_ident(:schema)) AND relkind = 'r'"
)


class Server:
    """Schema of one host in a database on a PostgreSQL server.

    Attributes:
        url: URL with the name of the host.
        schema: name of the schema.
        name: name of the database for messages, without credentials.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.schema = schema_of(url)
        self.name = shown_name(url)

    def require_schema(self, connection: Connection) -> None:
        """Check that the schema exists.

        Raises:
            StorageError: it does not.
        """
        if not self._has_schema(connection):
            detail = f"the schema {self.schema} does not exist"
            raise StorageError.of_kind(StorageErrorKind.MISSING, self.name, detail)

    def create_schema(self, connection: Connection) -> None:
        """Create the schema if it is missing.

        Args:
            connection: connection in a writing transaction.
        """
        # IF NOT EXISTS requires the privilege to create a schema also for one that exists.
        if not self._has_schema(connection):
            connection.exec_driver_sql(f'CREATE SCHEMA "{self.schema}"')

    def size_bytes(self, connection: Connection) -> int:
        """Return the size of the tables and indexes of the schema in bytes."""
        return int(connection.scalar(_SIZE, {"schema": self.schema}) or 0)

    def lock(self, engine: Engine, name: str, wait: float) -> AdvisoryLock:
        """Return the lock `name` of the host, not yet acquired; see `AdvisoryLock`."""
        return AdvisoryLock(engine, lock_key(self.schema, name), f"{self.name}: lock {name}", wait)

    def lock_holder(self, engine: Engine, name: str) -> str | None:
        """Return a name of the process that holds the lock `name` of the host; None if it is free."""
        return advisory_lock_holder(engine, lock_key(self.schema, name))

    def _has_schema(self, connection: Connection) -> bool:
        return bool(connection.scalar(_HAS_SCHEMA, {"schema": self.schema}))

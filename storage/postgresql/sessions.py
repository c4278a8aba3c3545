"""Sessions on a PostgreSQL server: settings of each connection, and the start of its transactions."""

from __future__ import annotations

import math
import os
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from storage.errors import StorageError, StorageErrorKind
from storage.postgresql.addresses import driver_url, schema_of
from storage.postgresql.keys import lock_key

CONNECTION_PARAMETERS = {
    "client_encoding": "utf8",
    # Seconds. A server that does not answer is noticed within about ten seconds, also in the middle of a statement.
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Parameters of libpq (Section 34.1.2 of the manual of PostgreSQL); those in the URL take precedence."""

SETTINGS = (
    # The schema of the host alone: no table of another program is ever found by its name.
    'SET search_path TO "{schema}"',
    "SET lock_timeout TO {busy_milliseconds}",
    "SET statement_timeout TO '60s'",
    # A process that was stopped in a transaction would hold its locks.
    "SET idle_in_transaction_session_timeout TO '10min'",
    # The server notices a vanished client, and releases its locks, within about ten seconds.
    "SET tcp_keepalives_idle TO 5",
    "SET tcp_keepalives_interval TO 2",
    "SET tcp_keepalives_count TO 3",
    # An acknowledged sample survives a crash of the server. A stronger setting of the server stays.
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') "
    "IN ('off', 'local')",
)
"""Statements at the start of each session."""

READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""Start of a transaction that reads one snapshot."""

WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({key})"
"""Start of a transaction that writes: one at a time for each host, as in SQLite.

Each statement sees what the previous transactions have committed.
"""


def make_server_engine(url: URL, busy_timeout: float, writes: str) -> Engine:
    """Return an engine, without a connection.

    Args:
        url: URL of the database with the name of the host.
        busy_timeout: longest time to wait for the write lock, in seconds.
        writes: key in `Connection.info` that is True for a transaction that writes.

    Raises:
        StorageError: psycopg is not installed.
    """
    schema = schema_of(url)
    target = driver_url(url)
    parameters = {"application_name": f"monitor (process {os.getpid()})", **CONNECTION_PARAMETERS}
    defaults = {name: value for name, value in parameters.items() if name not in target.query}
    try:
        engine = create_engine(target, poolclass=NullPool, connect_args=defaults)
    except ImportError as error:
        detail = "not installed: pip install 'monitor-early-warning[postgresql]'"
        raise StorageError.of_kind(StorageErrorKind.DRIVER_MISSING, str(error.name), detail) from error
    settings = "; ".join(SETTINGS).format(schema=schema, busy_milliseconds=round(busy_timeout * 1000))
    write = WRITE.format(key=lock_key(schema, "write"))

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        # The transactions are begun below.
        connection.autocommit = True
        _adapt(connection)
        connection.execute(settings)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(write if connection.info.get(writes, False) else READ)

    return engine


def _adapt(connection: Any) -> None:
    """Make a connection of psycopg convert values as the driver of SQLite does.

    JSON is returned as text, and a number that is not one is stored as NULL.
    """
    from psycopg.types.numeric import FloatDumper  # noqa: PLC0415 - the driver is optional
    from psycopg.types.string import TextLoader  # noqa: PLC0415

    class NumberDumper(FloatDumper):
        """Dumper of floats."""

        def dump(self, obj: Any) -> Any:
            return None if math.isnan(obj) else super().dump(obj)

    connection.adapters.register_loader("json", TextLoader)
    connection.adapters.register_dumper(float, NumberDumper)

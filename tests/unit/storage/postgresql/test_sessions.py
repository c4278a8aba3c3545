"""Sessions on a server: settings and transactions."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator

import pytest

from storage import Database, Sample, SampleRepository, StorageError, StorageErrorKind, open_database
from tests.postgresql import PostgresServer

pytestmark = pytest.mark.unit


@pytest.fixture
def database(postgresql: PostgresServer) -> Iterator[Database]:
    with open_database(postgresql.url("sessions"), busy_timeout=0.2) as opened:
        yield opened


def test_session_is_durable_and_bounded(database: Database) -> None:
    names = ("synchronous_commit", "statement_timeout", "lock_timeout", "search_path")
    with database.reading() as connection:
        values = [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names]
    assert values == ["on", "1min", "200ms", "monitor_sessions"]


def test_stronger_durability_of_the_server_stays(postgresql: PostgresServer) -> None:
    postgresql.sql("ALTER ROLE monitor SET synchronous_commit TO 'remote_apply'")
    try:
        with open_database(postgresql.url("sessions")) as database, database.reading() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "remote_apply"
    finally:
        postgresql.sql("ALTER ROLE monitor RESET synchronous_commit")


def test_reading_transaction_sees_one_snapshot_and_cannot_write(database: Database) -> None:
    repository = SampleRepository(database)
    before = repository.count()
    with database.reading() as connection:
        connection.exec_driver_sql("SELECT 1")
        SampleRepository(database).append(Sample(1.0, cpu_usage=0.5))
        assert connection.exec_driver_sql("SELECT count(*) FROM samples").scalar_one() == before
    repository.purge(math.inf)
    with pytest.raises(StorageError) as caught, database.reading() as connection:
        connection.exec_driver_sql("DELETE FROM samples")
    assert caught.value.kind is StorageErrorKind.READ_ONLY_SERVER


def test_writing_transactions_of_a_host_follow_each_other(database: Database) -> None:
    entered = threading.Event()
    leave = threading.Event()

    def hold() -> None:
        with database.writing():
            entered.set()
            leave.wait(10.0)

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(10.0)
    try:
        with pytest.raises(StorageError) as caught, database.writing():
            pass
        assert caught.value.kind is StorageErrorKind.BUSY
    finally:
        leave.set()
        holder.join()
    with database.writing():
        pass


def test_number_that_is_not_one_is_stored_as_missing(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO samples (host_id, at, cpu_usage) VALUES (1, 5, %s)", (math.nan,))
    assert SampleRepository(database).last() == Sample(5.0)


def test_first_statement_after_a_restart_gets_a_new_connection(
    database: Database, postgresql: PostgresServer
) -> None:
    with database.reading():
        pass
    assert len(database.pool.idle) == 1
    postgresql.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1

"""Server keeper: opening, the lock of the daemon, and recovery after the loss of its session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import count

import pytest

from storage import LockHeldError, Sample, SampleRepository, StorageError, StorageErrorKind, open_database
from storage.database import closed_database
from storage.recovery.server_keeper import ServerKeeper
from tests.postgresql import PostgresServer

pytestmark = pytest.mark.unit

HOSTS = count()


@pytest.fixture
def url(postgresql: PostgresServer) -> str:
    return postgresql.url(f"keeper-{next(HOSTS)}")


@pytest.fixture
def keeper(url: str) -> Iterator[ServerKeeper]:
    with closing(ServerKeeper(closed_database(url))) as opened:
        yield opened


def samples_of(keeper: ServerKeeper) -> SampleRepository:
    return SampleRepository(keeper._database)


def end_sessions(server: PostgresServer) -> None:
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")


def test_database_is_unavailable_until_it_is_opened(keeper: ServerKeeper) -> None:
    with pytest.raises(StorageError) as caught:
        samples_of(keeper).count()
    assert caught.value.kind is StorageErrorKind.UNAVAILABLE
    keeper.ensure_open()
    keeper.ensure_open()
    assert (keeper.is_open, keeper.generation, samples_of(keeper).count()) == (True, 1, 0)


def test_second_daemon_of_a_host_is_refused(keeper: ServerKeeper, url: str) -> None:
    keeper.ensure_open()
    with closing(ServerKeeper(closed_database(url))) as second, pytest.raises(LockHeldError):
        second.ensure_open()


def test_lost_session_opens_the_database_again(keeper: ServerKeeper, postgresql: PostgresServer) -> None:
    keeper.ensure_open()
    end_sessions(postgresql)
    keeper.ensure_open()
    assert keeper.generation == 2
    samples_of(keeper).append(Sample(1.0))


def test_dropped_schema_is_created_again(keeper: ServerKeeper, url: str, postgresql: PostgresServer) -> None:
    keeper.ensure_open()
    schema = keeper._database.server.schema if keeper._database.server else ""
    postgresql.sql(f'DROP SCHEMA "{schema}" CASCADE')
    with pytest.raises(StorageError):
        samples_of(keeper).append(Sample(1.0))
    keeper.ensure_open()
    samples_of(keeper).append(Sample(1.0))
    with open_database(url, create=False) as database:
        assert SampleRepository(database).count() == 1


def test_missing_table_is_reported(keeper: ServerKeeper) -> None:
    keeper.ensure_open()
    with keeper._database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE onsets")
    with pytest.raises(StorageError), keeper._database.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM onsets")
    with pytest.raises(StorageError) as caught:
        keeper.ensure_open()
    assert caught.value.kind is StorageErrorKind.SCHEMA_DAMAGED
    assert not keeper.is_open

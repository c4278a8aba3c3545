"""Advisory locks on a server."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from storage import Database, LockHeldError, open_database
from storage.postgresql.locks import AdvisoryLock
from tests.postgresql import PostgresServer

pytestmark = pytest.mark.unit


@pytest.fixture
def database(postgresql: PostgresServer) -> Iterator[Database]:
    with open_database(postgresql.url("locks")) as opened:
        yield opened


def test_lock_is_held_by_one_session(database: Database) -> None:
    with database.lock("daemon"):
        assert database.is_locked("daemon")
        with pytest.raises(LockHeldError, match=f"lock daemon is held by monitor .process {os.getpid()}"):
            database.lock("daemon").__enter__()
    assert not database.is_locked("daemon")


def test_locks_of_other_names_and_hosts_are_independent(database: Database, postgresql: PostgresServer) -> None:
    with database.lock("daemon"), database.lock("retrain"), open_database(postgresql.url("other")) as other:
        assert not other.is_locked("daemon")
        with other.lock("daemon"):
            assert other.is_locked("daemon")


def test_lock_is_not_current_after_its_session_has_ended(database: Database, postgresql: PostgresServer) -> None:
    with database.lock("daemon") as lock:
        assert lock.is_current()
        postgresql.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        assert not lock.is_current()
        with database.lock("daemon", wait=5.0):
            pass


def test_lock_that_is_not_held_is_released_without_effect(database: Database) -> None:
    lock = database.lock("daemon")
    assert isinstance(lock, AdvisoryLock)
    lock.release()
    assert not lock.is_current()

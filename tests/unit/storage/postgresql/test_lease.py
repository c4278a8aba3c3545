"""Lease of the active process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from storage import LockHeldError, StorageError, StorageErrorKind, open_database
from storage.postgresql.lease import Lease
from tests.postgresql import PostgresServer

pytestmark = pytest.mark.unit

HOSTS = count()


@pytest.fixture
def url(postgresql: PostgresServer) -> str:
    return postgresql.url(f"lease-{next(HOSTS)}")


@pytest.fixture
def make_lease(url: str) -> Iterator[Callable[..., Lease]]:
    made: list[Lease] = []

    def make(**options: float) -> Lease:
        made.append(Lease(url, "active", ping_interval=0.05, **options))
        return made[-1]

    yield make
    for lease in made:
        lease.release()


def end_sessions(server: PostgresServer) -> None:
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")


def test_lease_is_held_by_one_process(make_lease: Callable[..., Lease]) -> None:
    first, second = make_lease(), make_lease()
    assert (first.held(), first.holder()) == (False, None)
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    assert (first.held(), second.held()) == (True, False)
    assert str(second.holder()).startswith("monitor")
    first.release()
    assert not first.held()
    assert second.acquire()


def test_lost_session_ends_the_lease(make_lease: Callable[..., Lease], postgresql: PostgresServer) -> None:
    lease = make_lease()
    lease.acquire()
    end_sessions(postgresql)
    deadline = time.monotonic() + 10.0
    while lease.held() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not lease.held()
    assert lease.acquire()
    assert lease.held()


def test_lease_expires_without_an_answer(make_lease: Callable[..., Lease]) -> None:
    now = [0.0]
    lease = make_lease()
    lease._monotonic = lambda: now[0]
    lease._ping_interval = 1000.0
    lease.acquire()
    assert lease.held()
    now[0] = 5.0
    assert not lease.held()


def test_guard_refuses_a_process_that_has_lost_the_lease(
    make_lease: Callable[..., Lease], url: str, postgresql: PostgresServer
) -> None:
    lease = make_lease()
    lease._ping_interval = 1000.0
    lease.acquire()
    with open_database(url) as database:
        with database.writing() as connection:
            lease.guard(connection)
        end_sessions(postgresql)
        # The process has not noticed it yet; the server knows.
        assert lease.held()
        with pytest.raises(LockHeldError), database.writing() as connection:
            lease.guard(connection)


def test_file_has_no_lease() -> None:
    with pytest.raises(StorageError) as caught:
        Lease("sqlite:////srv/m.db", "active")
    assert caught.value.kind is StorageErrorKind.INVALID_URL

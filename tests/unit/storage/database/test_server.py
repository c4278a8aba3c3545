"""Schema of one host on a server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from storage import Sample, SampleRepository, StorageError, StorageErrorKind, open_database
from tests.postgresql import PostgresServer

pytestmark = pytest.mark.unit


def count_of(url: str) -> int:
    with open_database(url, create=False) as database:
        return SampleRepository(database).count()


def test_hosts_do_not_see_the_rows_of_each_other(postgresql: PostgresServer) -> None:
    with open_database(postgresql.url("apart-1")) as first, open_database(postgresql.url("apart-2")) as second:
        SampleRepository(first).append(Sample(1.0))
        assert (SampleRepository(first).count(), SampleRepository(second).count()) == (1, 0)
        assert first.size_bytes() > 100_000
        assert (first.wal_bytes(), first.free_bytes(), first.lock_path("daemon")) == (0, None, None)


def test_missing_schema_is_not_created_for_a_reader(postgresql: PostgresServer) -> None:
    with pytest.raises(StorageError) as caught:
        count_of(postgresql.url("absent"))
    assert caught.value.kind is StorageErrorKind.MISSING
    assert postgresql.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'monitor_absent'") == "0"


def test_processes_that_open_a_new_host_at_once_create_its_schema_once(postgresql: PostgresServer) -> None:
    def open_and_store(number: int) -> None:
        with open_database(postgresql.url("together"), busy_timeout=30.0) as database:
            SampleRepository(database).append(Sample(float(number)))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(open_and_store, range(6)))
    assert count_of(postgresql.url("together")) == 6


def test_role_that_owns_its_schema_needs_no_other_right(postgresql: PostgresServer) -> None:
    postgresql.sql("CREATE ROLE web LOGIN")
    with pytest.raises(StorageError) as caught:
        open_database(postgresql.url("owned", user="web"))
    assert caught.value.kind is StorageErrorKind.ACCESS_DENIED
    postgresql.sql('CREATE SCHEMA "monitor_owned" AUTHORIZATION web')
    open_database(postgresql.url("owned", user="web")).close()
    assert count_of(postgresql.url("owned", user="web")) == 0
    with pytest.raises(StorageError) as caught:
        open_database(postgresql.url("apart-1", user="web"))
    assert caught.value.kind in {StorageErrorKind.ACCESS_DENIED, StorageErrorKind.OTHER}

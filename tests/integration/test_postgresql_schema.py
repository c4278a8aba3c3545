"""Schema migrations on a PostgreSQL server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from storage import Sample, SampleRepository, open_database
from storage.migrations.runner import HEAD, REVISIONS, create_revision
from storage.postgresql.addresses import SCHEMA_PREFIX
from tests.postgresql import PostgresServer

pytestmark = pytest.mark.integration

COLUMNS = (
    "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
    "WHERE table_schema = '{schema}' ORDER BY 1, 2"
)


def make_revision(server: PostgresServer, host: str, revision: str) -> str:
    """Create the schema of a host as an earlier release did, and return its URL."""
    server.sql(f'CREATE SCHEMA "{SCHEMA_PREFIX}{host}"')
    url = server.url(host)
    create_revision(url, host, revision)
    return url


def columns_of(server: PostgresServer, host: str) -> str:
    return server.sql(COLUMNS.format(schema=SCHEMA_PREFIX + host))


@pytest.mark.parametrize("revision", [REVISIONS[0], REVISIONS[8], REVISIONS[-2]])
def test_earlier_schema_is_migrated_to_the_same_tables(postgresql: PostgresServer, revision: str) -> None:
    open_database(postgresql.url("fresh")).close()
    url = make_revision(postgresql, f"from-{revision}", revision)
    with open_database(url) as database:
        SampleRepository(database).append(Sample(1.0, cpu_usage=0.5))
    assert columns_of(postgresql, f"from-{revision}") == columns_of(postgresql, "fresh")


def test_daemons_of_other_releases_share_a_database(postgresql: PostgresServer) -> None:
    make_revision(postgresql, "older", REVISIONS[-2])
    open_database(postgresql.url("newer")).close()
    versions = [
        postgresql.sql(f'SELECT version_num FROM "{SCHEMA_PREFIX}{host}".alembic_version')
        for host in ("older", "newer")
    ]
    assert versions == [REVISIONS[-2], HEAD]


def test_processes_that_migrate_at_once_wait_for_the_first(postgresql: PostgresServer) -> None:
    url = make_revision(postgresql, "at-once", REVISIONS[0])

    def open_and_store(number: int) -> None:
        with open_database(url, busy_timeout=60.0) as database:
            SampleRepository(database).append(Sample(float(number)))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(open_and_store, range(3)))
    with open_database(url) as database:
        assert SampleRepository(database).count() == 3

"""Access to a PostgreSQL server: passwords, TLS, standby servers, time limits and a full file system."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import trustme

from storage import Sample, SampleRepository, StorageError, StorageErrorKind, open_database
from tests.integration.test_postgresql_faults import Writer, stored_times
from tests.postgresql import PostgresServer, postgres_server

pytestmark = pytest.mark.integration

PASSWORD = "correct horse"


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


def allow(server: PostgresServer, *rules: str) -> None:
    """Set the rules of pg_hba.conf for TCP connections."""
    (server.data / "pg_hba.conf").write_text("\n".join(("local all all trust", *rules, "")))
    server.sql("SELECT pg_reload_conf()")
    time.sleep(0.3)


def open_error(url: str) -> StorageError:
    with pytest.raises(StorageError) as caught:
        open_database(url)
    return caught.value


def test_password_is_read_from_its_file_and_never_shown(server: PostgresServer, tmp_path: Path) -> None:
    server.sql(f"ALTER ROLE monitor PASSWORD '{PASSWORD}'")
    allow(server, "host all all 127.0.0.1/32 scram-sha-256")
    passfile = tmp_path / "pgpass"
    passfile.touch(mode=0o600)
    url = server.url("web-1", address=f"127.0.0.1:{server.port}", options=f"passfile={passfile}")
    assert open_error(url).kind is StorageErrorKind.SERVER_UNAVAILABLE
    passfile.write_text(f"*:*:*:*:{PASSWORD} battery\n")
    error = open_error(url)
    assert error.kind is StorageErrorKind.SERVER_UNAVAILABLE
    assert "password authentication failed" in str(error)
    assert PASSWORD not in str(error)
    passfile.write_text(f"*:*:*:*:{PASSWORD}\n")
    with open_database(url) as database:
        SampleRepository(database).append(Sample(1.0))
        assert PASSWORD not in database.name


def test_tls_is_required_and_verified(server: PostgresServer, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    key, chain, root = server.data / "server.key", server.data / "server.crt", tmp_path / "root.crt"
    certificate.private_key_pem.write_to_path(str(key))
    certificate.cert_chain_pems[0].write_to_path(str(chain))
    authority.cert_pem.write_to_path(str(root))
    owner = server.data.stat()
    for path in (key, chain):
        os.chown(path, owner.st_uid, owner.st_gid)
        path.chmod(0o600)
    server.sql("ALTER SYSTEM SET ssl TO on")
    allow(server, "hostssl all all 127.0.0.1/32 trust", "hostnossl all all 127.0.0.1/32 reject")
    address = f"127.0.0.1:{server.port}"
    refused = open_error(server.url("web-1", address=address, options="sslmode=disable"))
    assert refused.kind is StorageErrorKind.SERVER_UNAVAILABLE
    verified = server.url("web-1", address=address, options=f"sslmode=verify-full&sslrootcert={root}")
    open_database(verified).close()
    trustme.CA().cert_pem.write_to_path(str(root))
    assert open_error(verified).kind is StorageErrorKind.SERVER_UNAVAILABLE


def test_statement_that_takes_too_long_ends(server: PostgresServer) -> None:
    with open_database(server.url("web-1")) as database:
        with pytest.raises(StorageError) as caught, database.reading() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout TO 50; SELECT pg_sleep(30)")
        assert caught.value.kind is StorageErrorKind.TIMEOUT
        assert SampleRepository(database).count() == 0


def test_daemon_follows_a_failover_to_a_standby(server: PostgresServer) -> None:
    standby = PostgresServer(Path(f"{server.directory}-standby"))
    standby.directory.mkdir()
    shutil.chown(standby.directory, server.data.owner())
    try:
        server.run("pg_basebackup", "-h", server.directory, "-p", server.port, "-U", "monitor", "-D", standby.data,
                   "-R", "-X", "stream", "-c", "fast")  # fmt: skip
        standby.start()
        error = open_error(standby.url("web-1"))
        assert error.kind is StorageErrorKind.READ_ONLY_SERVER
        address = f"host=127.0.0.1:{server.port}&host=127.0.0.1:{standby.port}&target_session_attrs=read-write"
        url = server.url("web-1", address="/", options=address).replace("@//", "@/")
        with closing(Writer(url)) as writer:
            for _ in range(50):
                writer.add()
                writer.buffer.write()
            assert writer.acknowledged() == set(writer.added)
            server.kill()
            for _ in range(5):
                writer.add()
                writer.buffer.write()
            assert len(writer.buffer.waiting()) == 5
            standby.sql("SELECT pg_promote()")
            writer.drain()
            # Replication is asynchronous: what the standby lacks is stored again.
            assert stored_times(standby, "web-1") == writer.added
    finally:
        standby.stop()
        shutil.rmtree(standby.directory, ignore_errors=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
def test_full_file_system_of_the_server_keeps_samples_waiting(server: PostgresServer) -> None:
    small = server.directory / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)], check=True)
    try:
        shutil.chown(small, server.data.owner())
        server.sql(f"CREATE TABLESPACE small LOCATION '{small}'")
        server.sql("ALTER ROLE monitor SET default_tablespace TO small")
        with closing(Writer(server.url("web-1"))) as writer:
            writer.add()
            writer.buffer.write()
            filler = small / "filler"
            with filler.open("wb") as file:
                subprocess.run(["dd", "if=/dev/zero", "bs=4k"], stdout=file, stderr=subprocess.DEVNULL, check=False)
            for _ in range(2000):
                writer.add()
            writer.buffer.write()
            state = writer.buffer.state()
            assert state.problem is StorageErrorKind.DISK_FULL
            assert state.samples_buffered > 0
            filler.unlink()
            writer.drain()
            assert stored_times(server, "web-1") == writer.added
            server.stop("fast")
    finally:
        server.stop()
        subprocess.run(["umount", str(small)], check=True)

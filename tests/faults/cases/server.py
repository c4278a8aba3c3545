"""Faults of a PostgreSQL server that stores the samples, and of the connection to it."""

import time
from contextlib import contextmanager

from tests.faults.daemon import Daemon
from tests.faults.scenarios import assert_outlives, assert_starts_without_storage
from tests.faults.table import case
from tests.postgresql import postgres_server

HOST = "web-1"

LOST = "sampling continues, `/-/healthy` stays 200; no acknowledged sample is lost, none is stored twice"


class ServerDaemon(Daemon):
    """Daemon that stores on a server; its directory has the spool.

    Attributes:
        server: PostgreSQL server.
    """

    def __init__(self, directory, server):
        directory.mkdir()
        self.server = server
        super().__init__(directory)

    def configure(self, extra=""):
        super().configure(extra)
        text = self.config.read_text()
        url = f'"sqlite:///{self.database}"'
        self.config.write_text(text.replace(url, f'"{self.server.url()}"\nhost = "{HOST}"'))

    def start(self, **options):
        environment = {"STATE_DIRECTORY": str(self.state), **options.pop("env", {})}
        return super().start(**{**options, "new": True, "env": environment})

    def rows(self):
        return int(self.server.sql(f'SELECT count(*) FROM "monitor_{HOST}".samples'))

    def shifted_rows(self):
        """Return the number of samples that follow another one by a millisecond: stored twice."""
        query = f'SELECT count(*) FROM "monitor_{HOST}".samples a, "monitor_{HOST}".samples b '
        return int(self.server.sql(query + "WHERE b.at > a.at AND b.at < a.at + 0.01"))


def server_daemon(lab):
    """Return a daemon that is not started, with a server that is."""
    server = lab.enter(postgres_server(("fsync=on", "synchronous_commit=off")))
    return lab.add(ServerDaemon(lab.directory / "daemon", server))


@contextmanager
def away(end, server, seconds=1.0):
    """End a server in a way, and start it again after some seconds."""
    end()
    try:
        yield
        time.sleep(seconds)
    finally:
        server.start()


def outlives(daemon, end):
    """Assert that a running daemon outlives ends of its server; return the longest recovery in seconds."""
    longest = max(_outlived(daemon, end) for _ in range(3))
    assert daemon.shifted_rows() == 0
    return longest


def _outlived(daemon, end):
    daemon.start()
    return assert_outlives(daemon, away(end, daemon.server))


@case(
    "`kill -9` of PostgreSQL", "SIGKILL to all processes of the server while samples are stored, three times", 1, LOST
)
def postgresql_killed(lab):
    daemon = server_daemon(lab)
    return outlives(daemon, daemon.server.kill)


@case("immediate stop of PostgreSQL", "`pg_ctl stop -m immediate` while samples are stored, three times", 1, LOST)
def postgresql_stopped(lab):
    daemon = server_daemon(lab)
    return outlives(daemon, daemon.server.stop)


@case(
    "end of all connections to PostgreSQL",
    "`pg_terminate_backend` for every session, ten times",
    1,
    "samples are stored through new connections; none is lost or stored twice",
)
def postgresql_connections_ended(lab):
    daemon = server_daemon(lab)
    daemon.start()
    for _ in range(10):
        daemon.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        time.sleep(0.3)
    recovery = daemon.wait_stored(1)
    assert daemon.healthy()
    daemon.assert_stops()
    assert daemon.shifted_rows() == 0
    return recovery


@case(
    "PostgreSQL absent at the start",
    "the server starts after the daemon",
    2,
    "starts, samples, serves and is healthy without the server; stores everything afterwards",
)
def postgresql_absent_at_start(lab):
    daemon = server_daemon(lab)
    return assert_starts_without_storage(daemon, away(daemon.server.stop, daemon.server))


@case(
    "`kill -9` while PostgreSQL is away",
    "SIGKILL to the daemon while its server is stopped; both start again",
    1,
    "the samples of the spool are stored, oldest first, none twice",
)
def killed_while_postgresql_is_away(lab):
    daemon = server_daemon(lab)
    daemon.start()
    daemon.metrics()
    spool = daemon.state / f"monitor_{HOST}.spool"
    with away(daemon.server.stop, daemon.server):
        daemon.wait(spool.exists)
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 5)
        daemon.kill()
    before = daemon.rows()
    started = time.monotonic()
    daemon.start()
    recovery = time.monotonic() - started
    assert "spool stored" in daemon.log()
    assert daemon.rows() > before
    assert not spool.exists()
    daemon.assert_stops()
    assert daemon.shifted_rows() == 0
    return recovery


@case(
    "second daemon of a host on PostgreSQL",
    "a daemon with the same `storage.url` and `storage.host`",
    3,
    "refused with exit code 1 and one sentence; the first one is not disturbed",
)
def second_daemon_on_postgresql(lab):
    daemon = server_daemon(lab)
    daemon.start()
    second = lab.add(ServerDaemon(lab.directory / "second", daemon.server))
    second.start(wait=False)
    assert second.process.wait(60) == 1
    assert "another daemon runs on this database" in second.log()
    daemon.wait_stored(3)
    daemon.assert_stops()

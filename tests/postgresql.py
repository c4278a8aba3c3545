"""PostgreSQL server of the tests: Debian's PostgreSQL 15 in a temporary directory, on its own socket and port."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.postgresql.addresses import for_host

BINARIES = Path("/usr/lib/postgresql/15/bin")

START_SECONDS = 60.0

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite://"])
"""Decorator of a test of what SQLite alone permits, such as a value of another type in a column."""


def require_postgresql() -> None:
    """Skip the test without PostgreSQL 15; fail it in CI."""
    if not (BINARIES / "postgres").exists():
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL 15 is not installed")
        pytest.skip("needs the Debian package postgresql-15")


class PostgresServer:
    """Server in a directory of its own, which a test may stop, kill and start again.

    Attributes:
        port: TCP port on 127.0.0.1; the Unix socket has it in its name.
    """

    def __init__(self, directory: Path, settings: Sequence[str] = ("fsync=off",)) -> None:
        self.directory = directory
        self.data = directory / "data"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._settings = [
            f"port={self.port}",
            f"unix_socket_directories={directory}",
            "listen_addresses=127.0.0.1",
            "max_connections=60",
            "shared_buffers=16MB",
            *settings,
        ]
        # The server refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._process: subprocess.Popen[bytes] | None = None

    def initialize(self) -> None:
        shutil.chown(self.directory, self._user)
        self.run("initdb", "-D", self.data, "-U", "monitor", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def run(self, program: str, *arguments: object) -> str:
        """Run a program of PostgreSQL as the user of the server, and return its output."""
        command = [str(BINARIES / program), *map(str, arguments)]
        done = subprocess.run(command, user=self._user, cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *, wait: bool = True) -> None:
        options = [part for setting in self._settings for part in ("-c", setting)]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(BINARIES / "postgres"), "-D", str(self.data), *options],
                user=self._user,
                cwd="/",
                stdout=log,
                stderr=log,
                process_group=0,
            )
        deadline = time.monotonic() + START_SECONDS
        while wait and not self._is_ready():
            assert self._process.poll() is None, (self.directory / "log").read_text()
            assert time.monotonic() < deadline, (self.directory / "log").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill all processes of the server at once."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        # Its backends leave the shared memory with the last of them.
        time.sleep(0.1)

    def stop(self, mode: str = "immediate") -> None:
        if self._process is not None and self._process.poll() is None:
            self.run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")
            self._process.wait()

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement as the superuser, and return the unaligned result."""
        return self.run(
            "psql", "-h", self.directory, "-p", self.port, "-U", "monitor", "-d", database, "-X", "-A", "-t",
            "-v", "ON_ERROR_STOP=1", "-c", statement,
        ).strip()  # fmt: skip

    def url(self, host: str = "", *, user: str = "monitor", address: str = "", options: str = "") -> str:
        """Return the URL of the database; with the name of a host that of its rows.

        Args:
            host: name of the host; empty for the URL of a configuration.
            user: role.
            address: host and port of a TCP connection; empty for the Unix socket.
            options: parameters of the query.
        """
        query = [] if address else [f"host={self.directory}", f"port={self.port}"]
        parameters = "&".join([*query, *filter(None, [options])])
        url = f"postgresql+psycopg://{user}@{address}/postgres" + (f"?{parameters}" if parameters else "")
        return for_host(url, host) if host else url

    def _is_ready(self) -> bool:
        command = [str(BINARIES / "pg_isready"), "-q", "-h", str(self.directory), "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0


@contextmanager
def postgres_server(settings: Sequence[str] = ("fsync=off",)) -> Iterator[PostgresServer]:
    """Run a server with an empty database."""
    require_postgresql()
    # The path of a Unix socket has at most 107 characters.
    directory = Path(tempfile.mkdtemp(prefix="monitor-pg-", dir="/tmp"))
    server = PostgresServer(directory, settings)
    try:
        server.initialize()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)

"""Faults of a PostgreSQL server while a daemon stores samples: no acknowledged sample is lost or stored twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import numpy as np
import pytest

from monitor.daemon.storage import DaemonStorage
from monitor.sampling.write_buffer import WriteBuffer
from storage import Sample, StorageErrorKind, open_database
from tests.postgresql import PostgresServer, postgres_server

pytestmark = pytest.mark.integration

DURABLE = ("fsync=on", "synchronous_commit=off")
"""Settings of the server: the session must set `synchronous_commit` itself."""


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with postgres_server(DURABLE) as running:
        yield running


class Writer:
    """Write buffer of a daemon, with a thread that stores while samples are added.

    Attributes:
        acknowledged: times of the samples that were stored, as reported.
    """

    def __init__(self, url: str) -> None:
        self.storage = DaemonStorage(url)
        self.buffer = WriteBuffer(
            self.storage.stores.cycles, lambda: self.storage.ensure_open(self.buffer.recently_stored)
        )
        self.added: list[float] = []
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def add(self) -> None:
        at = 1_800_000_000.0 + len(self.added)
        self.added.append(at)
        self.buffer.add(Sample(at, cpu_usage=len(self.added) / 1e6))

    def _run(self) -> None:
        while not self._ends.is_set():
            self.add()
            self.buffer.write()
            time.sleep(0.002)

    def acknowledged(self) -> set[float]:
        """Times of all samples that no longer wait."""
        waiting = {sample.at for sample in self.buffer.waiting()}
        return set(self.added) - waiting

    def stop(self) -> None:
        self._ends.set()
        self._thread.join()

    def drain(self, seconds: float = 30.0) -> None:
        """Store what waits."""
        deadline = time.monotonic() + seconds
        while self.buffer.waiting() and time.monotonic() < deadline:
            self.buffer.write()
            time.sleep(0.05)

    def close(self) -> None:
        self._ends.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.storage.close()


def stored_times(server: PostgresServer, host: str) -> list[float]:
    with open_database(server.url(host), create=False) as database, database.reading() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT at FROM samples ORDER BY at")]


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill_and_start(server: PostgresServer) -> None:
    server.kill()
    time.sleep(0.3)
    server.start()


def stop_immediately_and_start(server: PostgresServer) -> None:
    server.stop("immediate")
    time.sleep(0.3)
    server.start()


def reset_connections(server: PostgresServer) -> None:
    for _ in range(3):
        server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        time.sleep(0.1)


@pytest.mark.parametrize("fault", [kill_and_start, stop_immediately_and_start, reset_connections])
def test_no_acknowledged_sample_is_lost(server: PostgresServer, fault: Callable[[PostgresServer], None]) -> None:
    with closing(Writer(server.url("web-1"))) as writer:
        writer.start()
        for _ in range(3):
            count = len(writer.acknowledged())
            wait_until(lambda count=count: len(writer.acknowledged()) > count + 50)
            fault(server)
        writer.stop()
        writer.drain()
        assert writer.buffer.waiting() == []
        assert writer.buffer.state().samples_dropped == 0
        assert stored_times(server, "web-1") == writer.added


def test_acknowledged_samples_survive_a_kill_of_the_server(server: PostgresServer) -> None:
    with closing(Writer(server.url("web-1"))) as writer:
        writer.start()
        wait_until(lambda: len(writer.acknowledged()) > 200)
        acknowledged = writer.acknowledged()
        server.kill()
        writer.stop()
        server.start()
        assert acknowledged <= set(stored_times(server, "web-1"))


def test_write_waits_while_the_server_is_away(server: PostgresServer) -> None:
    with closing(Writer(server.url("web-1"))) as writer:
        writer.add()
        writer.buffer.write()
        server.stop()
        for _ in range(20):
            writer.add()
        writer.buffer.write()
        state = writer.buffer.state()
        assert (state.problem, state.samples_buffered) == (StorageErrorKind.SERVER_UNAVAILABLE, 20)
        server.start()
        writer.drain()
        assert writer.buffer.state().problem is None
        assert np.diff(stored_times(server, "web-1")).tolist() == [1.0] * 20

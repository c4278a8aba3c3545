"""High availability: two processes on one server, of which one is killed again and again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgresql import PostgresServer, postgres_server

pytestmark = pytest.mark.integration

STEP = 1.0

PROGRAM = """
import sys, threading, time
from monitor.fleet.high_availability import ActiveProcess
from monitor.stores import stores_of
from storage import DuplicateKeyError, Notification, StorageError, open_database
from storage.postgresql.lease import Lease

url, step = sys.argv[1], float(sys.argv[2])
process = ActiveProcess(Lease(url, "fleet", ping_interval=0.2), poll_seconds=0.2)
print("started", flush=True)
stop = threading.Event()
with open_database(url) as database:
    while process.wait(stop):
        print("active", flush=True)
        while process.is_active():
            number = int(time.time() / step)
            key = f"step-{number}"
            try:
                with database.writing() as connection:
                    process.lease.guard(connection)
                    # The claim of the notification: the key is unique.
                    connection.exec_driver_sql(
                        "INSERT INTO notifications (host_id, key, channel, incident, change, created_at, status, "
                        "attempts, event) VALUES (1, %s, 'x', %s, 'raised', %s, 'delivered', 0, '{}')",
                        (key, key, time.time()),
                    )
                print("notified", number, flush=True)
            except DuplicateKeyError:
                pass
            except StorageError:
                break
            time.sleep(0.05)
"""


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


class Process:
    """Process of the program, whose output is a file."""

    def __init__(self, url: str, path: Path) -> None:
        self.path = path
        self.output = path.open("w")
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM, url, str(STEP)], stdout=self.output)

    def lines(self) -> list[str]:
        return self.path.read_text().splitlines()

    def wait_for(self, line: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not any(entry.startswith(line) for entry in self.lines()):
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.output.close()


def test_standby_takes_over_within_two_steps_without_a_second_notification(
    server: PostgresServer, tmp_path: Path
) -> None:
    url = server.url("fleet")
    processes = [Process(url, tmp_path / "0")]
    try:
        processes[0].wait_for("notified")
        for round_number in range(1, 4):
            standby = Process(url, tmp_path / str(round_number))
            processes.append(standby)
            standby.wait_for("started")
            time.sleep(1.0)
            assert "active" not in standby.lines()
            killed_at = time.time()
            processes[-2].kill()
            standby.wait_for("notified")
            numbers = [int(line.split()[1]) for line in standby.lines() if line.startswith("notified")]
            # Every step is notified, but for at most one while nobody was active.
            assert numbers[0] - int(killed_at / STEP) <= 2
        notified = [line for process in processes for line in process.lines() if line.startswith("notified")]
        assert len(notified) == len(set(notified))
    finally:
        for process in processes:
            process.kill()

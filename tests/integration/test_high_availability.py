"""High availability: two processes on one server, of which one is killed again and again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgresql import PostgresServer, postgres_server

from .metric_servers import fetch, free_port, running

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
    while process.wait(stop.wait):
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


def test_fleet_on_standby_serves_within_two_steps_of_a_kill(server: PostgresServer, tmp_path: Path) -> None:
    step = 5.0
    commands: list[list[str]] = []
    addresses: list[str] = []
    for number in range(2):
        addresses.append(f"127.0.0.1:{free_port()}")
        config = tmp_path / f"{number}.toml"
        config.write_text(
            f'[source]\nkind = "prometheus"\nurl = "http://127.0.0.1:{free_port()}"\n'
            f'step = "{step:g}s"\ndelay = "1s"\n'
            f'[storage]\nurl = "{server.url()}"\nhost = "fleet"\n[web]\nlisten = "{addresses[-1]}"\n'
            "[fleet]\nhigh_availability = true\n"
        )
        commands.append([sys.executable, "-m", "monitor", "--config", str(config), "run"])
    with running(commands[0], f"http://{addresses[0]}/-/healthy", tmp_path / "0.log") as first:
        log = (tmp_path / "1.log").open("w")
        standby = subprocess.Popen(commands[1], stderr=log)
        try:
            time.sleep(8.0)
            assert not is_served(addresses[1])
            assert standby.poll() is None
            first.kill()
            deadline = time.monotonic() + 2 * step
            while not is_served(addresses[1]):
                assert time.monotonic() < deadline, (tmp_path / "1.log").read_text()
                time.sleep(0.1)
            # The lease ends with its session: the process ends, and its service starts it again, on standby.
            server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            assert standby.wait(30) == 1
            assert "the lease is lost" in (tmp_path / "1.log").read_text()
        finally:
            standby.kill()
            standby.wait()
            log.close()


def is_served(address: str) -> bool:
    try:
        return bool(fetch(f"http://{address}/-/healthy"))
    except OSError:
        return False

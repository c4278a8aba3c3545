"""Start and stop while the file system of the database does not respond."""

import signal
import sqlite3
import time
from contextlib import closing

from tests.faults.injectors import disk
from tests.faults.table import case


def frozen_state(lab):
    """Return the directory of a new ext4 file system, which can be frozen."""
    lab.mounts()
    lab.need("mkfs.ext4", "fsfreeze")
    return lab.enter(disk.loop_ext4(lab.directory / "ext4", lab.directory / "image"))


@case(
    "start on a frozen file system",
    "fsfreeze before the start; the recovery is the time from the start to the fifth sample",
    2,
    "sampling begins at once and does not wait for the database; all samples are stored afterwards",
    bound=8.0,
)
def start_on_frozen_file_system(lab):
    state = frozen_state(lab)
    daemon = lab.daemon(state).start()
    daemon.assert_stops()
    with disk.frozen(state):
        started = time.monotonic()
        daemon.start(wait=False)
        daemon.wait(lambda: daemon.metric("samples_total") >= 5)
        seconds = time.monotonic() - started
        assert daemon.healthy()
    daemon.wait_stored(1)
    daemon.assert_stops()
    return seconds


@case(
    "stop on a frozen file system",
    "fsfreeze, SIGTERM; the process ends once the file system responds",
    1,
    "the waiting samples are spooled to $RUNTIME_DIRECTORY, and stored by the next start",
)
def stop_on_frozen_file_system(lab):
    state = frozen_state(lab)
    runtime = lab.directory / "runtime"
    runtime.mkdir()
    env = {"RUNTIME_DIRECTORY": str(runtime)}
    daemon = lab.daemon(state).start(env=env)
    with disk.frozen(state):
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 5)
        taken = daemon.metric("samples_total")
        daemon.process.send_signal(signal.SIGTERM)
        daemon.wait(lambda: list(runtime.glob("*.spool")), 60, alive=False)
    assert daemon.process.wait(60) == 0
    daemon.start(env=env)
    assert list(runtime.iterdir()) == []
    daemon.assert_stops()
    assert daemon.rows() > taken


@case(
    "database of another program on a frozen file system",
    "fsfreeze before the start, then unfrozen",
    8,
    "samples meanwhile; then exit code 1 in one sentence; the directory is unchanged",
)
def foreign_database_on_frozen_file_system(lab):
    state = frozen_state(lab)
    daemon = lab.daemon(state)
    with closing(sqlite3.connect(daemon.database)) as connection, connection:
        connection.execute("CREATE TABLE other (x)")
    before = sorted(path.name for path in state.iterdir())
    content = daemon.database.read_bytes()
    with disk.frozen(state):
        daemon.start(wait=False)
        daemon.wait(lambda: daemon.metric("samples_total") >= 5)
        thawed = time.monotonic()
    assert daemon.process.wait(60) == 1
    seconds = time.monotonic() - thawed
    assert [line for line in daemon.log().splitlines() if line.startswith("monitor: ")] != []
    assert "Traceback" not in daemon.log()
    assert sorted(path.name for path in state.iterdir()) == before
    assert daemon.database.read_bytes() == content
    return seconds

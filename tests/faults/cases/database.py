"""Faults of the database file: damage, loss, replacement and a second daemon, at the start and while running."""

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tests.faults.injectors import disk
from tests.faults.table import case

RECOVERED = "samples are stored again without a restart; nothing is deleted"


def wait_generation(daemon, samples=2):
    """Wait until the daemon stores samples in the file at its path; return the seconds."""
    started = time.monotonic()
    daemon.wait(lambda: _rows(daemon) >= samples, 60)
    return time.monotonic() - started


def _rows(daemon):
    try:
        return len(daemon.sample_times())
    except sqlite3.Error:
        return 0


@case("database deleted while running", "unlink the database, its log and its index", 4, RECOVERED)
def database_deleted(lab):
    daemon = lab.daemon().start()
    daemon.wait_stored(5)
    stored = daemon.stored()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{daemon.database}{suffix}").unlink()
    recovery = wait_generation(daemon)
    # The samples of the last minutes are written again from memory.
    assert len(daemon.sample_times()) >= stored
    assert daemon.healthy()
    daemon.assert_stops()
    return recovery


@case("database moved while running", "rename", 1, "the moved file is complete; a new one is created")
def database_moved(lab):
    daemon = lab.daemon().start()
    daemon.wait_stored(5)
    moved = daemon.database.with_name("elsewhere")
    daemon.database.rename(moved)
    recovery = wait_generation(daemon)
    assert len(daemon.sample_times(moved)) >= 5
    daemon.assert_stops()
    return recovery


@case("database replaced by an older copy while running", "rename over it", 4, RECOVERED)
def database_replaced(lab):
    daemon = lab.daemon().start()
    daemon.wait_stored(3)
    copy = daemon.database.with_name("copy")
    with closing(sqlite3.connect(daemon.database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    daemon.wait_stored(5)
    stored = daemon.stored()
    copy.replace(daemon.database)
    recovery = wait_generation(daemon, stored)
    daemon.assert_stops()
    assert daemon.integrity() == "ok"
    return recovery


@case("write-ahead log deleted while running", "unlink", 1, "no acknowledged sample lost")
def log_deleted(lab):
    return log_lost(lab, lambda daemon: Path(f"{daemon.database}-wal").unlink())


@case("write-ahead log truncated while running", "truncate to 0 bytes", 1, "no acknowledged sample lost")
def log_truncated(lab):
    return log_lost(lab, lambda daemon: os.truncate(f"{daemon.database}-wal", 0))


@case("write-ahead log cut while running", "truncate to half its size", 1, "no acknowledged sample lost")
def log_cut(lab):
    def cut(daemon):
        log = Path(f"{daemon.database}-wal")
        os.truncate(log, log.stat().st_size // 2)

    return log_lost(lab, cut)


def log_lost(lab, lose):
    daemon = lab.daemon().start()
    daemon.wait_stored(5)
    lose(daemon)
    recovery = daemon.wait_stored(5)
    daemon.metrics()
    daemon.kill()
    daemon.start()
    assert daemon.integrity() == "ok"
    daemon.assert_no_sample_lost()
    return recovery


def zero(path):
    path.write_bytes(bytes(path.stat().st_size))


def halve(path):
    os.truncate(path, path.stat().st_size // 2)


def break_header(path):
    with path.open("r+b") as file:
        file.write(b"not a header " * 7)


def damaged_at_start(lab, damage):
    daemon = lab.daemon().start()
    daemon.wait_stored(3)
    assert daemon.stop() == 0
    damage(daemon.database)
    started = time.monotonic()
    daemon.start()
    recovery = time.monotonic() - started
    assert len(daemon.quarantined()) == 1
    assert daemon.metric("storage_quarantines_total") == 1
    assert daemon.healthy()
    assert daemon.stop() == 0
    return recovery


def damaged_while_running(lab, damage):
    daemon = lab.daemon().start()
    daemon.wait_stored(3)
    with closing(sqlite3.connect(daemon.database, timeout=10)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    daemon.wait_stored(2)
    damage(daemon.database)
    recovery = daemon.wait(lambda: daemon.quarantined() and daemon.metric("storage_quarantines_total") == 1, 90)
    recovery += daemon.wait_stored(2)
    assert daemon.healthy()
    assert daemon.stop() == 0
    return recovery


@case("database full of zeros at the start", "zeros over the whole file", 6, "moved aside, counted; fresh history")
def zeroed_at_start(lab):
    return damaged_at_start(lab, zero)


@case("database truncated at the start", "half of the file", 6, "moved aside, counted; fresh history")
def truncated_at_start(lab):
    return damaged_at_start(lab, halve)


@case("header of the database broken at the start", "other bytes", 6, "moved aside, counted; fresh history")
def header_broken_at_start(lab):
    return damaged_at_start(lab, break_header)


@case("database truncated while running", "half of the file", 6, "moved aside, counted; fresh history")
def truncated_while_running(lab):
    return damaged_while_running(lab, halve)


@case(
    "database full of zeros while running",
    "zeros over the whole file",
    6,
    "moved aside, counted; fresh history; noticed within a minute",
    bound=75.0,
    long=True,
)
def zeroed_while_running(lab):
    return damaged_while_running(lab, zero)


@case("a directory in place of the database at the start", "mkdir", 2, "samples wait until it is removed")
def directory_in_place(lab):
    daemon = lab.daemon()
    daemon.database.mkdir()
    daemon.start(wait=False)
    daemon.wait_sampled(10)
    assert daemon.healthy()
    assert daemon.metric("storage_buffered_samples") > 5
    daemon.database.rmdir()
    recovery = daemon.wait_stored(1)
    daemon.assert_stops()
    return recovery


def start_without_storage(lab, state, repair):
    daemon = lab.daemon(state)
    daemon.start(wait=False)
    daemon.wait_sampled(10)
    assert daemon.healthy()
    assert daemon.status()["storage"]["problem"]
    assert daemon.metric("model_ready") == 1
    repair()
    recovery = daemon.wait_stored(1)
    assert daemon.status()["storage"]["problem"] is None
    daemon.assert_stops()
    return recovery


@case("start on a full disk", "tmpfs filled to the last byte", 2, "samples, predicts, waits for storage")
def start_on_full_disk(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "full", "size=8m"))
    filler = disk.Filler(state)
    filler.__enter__()
    return start_without_storage(lab, state, lambda: filler.__exit__(None, None, None))


@case("start on a read-only disk", "tmpfs mounted read-only", 2, "samples, predicts, waits for storage")
def start_on_read_only_disk(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "readonly", "size=8m"))
    disk.remount(state, "ro")
    return start_without_storage(lab, state, lambda: disk.remount(state, "rw"))


@case("stop while the disk is full", "tmpfs filled, SIGTERM", 1, "exit code 0; waiting samples reach the spool")
def stop_on_full_disk(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "full", "size=8m"))
    runtime = lab.directory / "runtime"
    runtime.mkdir()
    environment = {"RUNTIME_DIRECTORY": str(runtime)}
    daemon = lab.daemon(state).start(env=environment)
    with disk.Filler(state):
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 3)
        taken = daemon.metric("samples_total")
        assert daemon.stop() == 0
    assert len(list(runtime.iterdir())) == 1
    daemon.start(env=environment)
    assert len(daemon.sample_times()) >= taken
    assert list(runtime.iterdir()) == []
    daemon.assert_stops()


@case("second daemon through a symbolic link", "symlink to the database", 1, "the second daemon exits with 1")
def second_daemon_through_link(lab):
    daemon = lab.daemon().start()
    other = lab.daemon()
    other.database.symlink_to(daemon.database)
    other.start(wait=False)
    assert other.process.wait(30) == 1
    daemon.assert_stops()


@case("second daemon after the lock file was deleted", "unlink the lock file", 1, "the second daemon exits with 1")
def second_daemon_without_lock_file(lab):
    daemon = lab.daemon().start()
    Path(f"{daemon.database}.daemon.lock").unlink()
    other = lab.daemon(daemon.state)
    shutil.copy(daemon.config, other.config)
    other.config.write_text(other.config.read_text().replace(str(daemon.port), str(other.port)))
    other.start(wait=False)
    assert other.process.wait(30) == 1
    daemon.assert_stops()

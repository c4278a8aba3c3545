"""Faults of storage: the disk and locks."""

import errno
import time

from tests.faults.injectors import disk, locks
from tests.faults.injectors.preload import Preload
from tests.faults.table import case


@case(
    "`kill -9` 30 times at random moments",
    "SIGKILL after a random time, start again on the same database",
    1,
    "no acknowledged sample lost; the file passes `integrity_check`; each start serves",
)
def kill_30_times(lab):
    daemon = lab.daemon()
    longest = 0.0
    for round_number in range(30):
        started = time.monotonic()
        daemon.start()
        longest = max(longest, time.monotonic() - started)
        # A fixed sequence of moments within and between the 0.2 s cycles.
        end = time.monotonic() + (round_number * 0.37) % 0.5
        while time.monotonic() < end:
            daemon.metrics()
        daemon.kill()
    assert daemon.integrity() == "ok"
    daemon.assert_no_sample_lost()
    return longest


@case(
    "disk full while running",
    "tmpfs filled to the last byte, then emptied",
    4,
    "sampling continues; samples wait in the buffer and are written afterwards",
)
def disk_full(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "full", "size=8m"))
    daemon = lab.daemon(state).start()
    with disk.Filler(state):
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 3)
        daemon.wait_sampled(10)
        assert daemon.healthy()
    recovery = daemon.wait_stored(1)
    daemon.assert_stops()
    return recovery


@case(
    "every write and sync fails with EIO",
    "LD_PRELOAD shim on the directory of the database",
    4,
    "sampling continues; samples wait in the buffer and are written afterwards",
)
def writes_fail_with_eio(lab):
    return failing_writes(lab, errno.EIO)


def failing_writes(lab, number):
    daemon = lab.daemon()
    preload = Preload(lab.directory / "control", daemon.state)
    daemon.start(env=preload.env)
    preload.set(errno=number)
    daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 3)
    daemon.wait_sampled(10)
    assert daemon.healthy()
    preload.set(errno=0)
    recovery = daemon.wait_stored(1)
    daemon.assert_stops()
    return recovery


@case(
    "database locked for 12 s",
    "BEGIN EXCLUSIVE in another process",
    2,
    "at most one sample in ten missed; the others are written after the release",
)
def database_locked(lab):
    return locked(lab, 12)


def locked(lab, seconds):
    daemon = lab.daemon().start()
    before = daemon.metrics()
    with locks.exclusive_lock(daemon.database):
        time.sleep(seconds)
        assert daemon.healthy()
        during = daemon.metrics()
    taken = during["samples_total"] - before["samples_total"]
    assert taken >= 0.9 * seconds / daemon.interval
    recovery = daemon.wait_stored(1)
    daemon.assert_stops()
    return recovery

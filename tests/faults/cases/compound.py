"""Faults that coincide."""

import errno
import resource
import signal
import time

from tests.faults.injectors import damage, disk, locks, process
from tests.faults.injectors.preload import Preload
from tests.faults.scenarios import assert_outlives, assert_restarts, assert_starts_without_storage, preloaded
from tests.faults.table import case

HELD = "sampling continues, the samples are stored afterwards, exit code 0"


@case(
    "full disk while a damaged database is replaced",
    "header overwritten and tmpfs filled before the start",
    4,
    "starts and samples; stores in a new file once there is space; the damaged file is kept",
)
def full_disk_during_recovery(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "full"))
    daemon = lab.daemon(state).start()
    daemon.assert_stops()
    damage.header(daemon.database)
    daemon.forget_acknowledged()
    content = daemon.database.read_bytes()
    recovery = assert_starts_without_storage(daemon, disk.Filler(state))
    assert content in [path.read_bytes() for path in daemon.quarantined_databases()]
    return recovery


@case("lock with a clock step", "BEGIN EXCLUSIVE, clock set forward by a day and back by two", 4, HELD)
def lock_with_clock_step(lab):
    daemon, preload = preloaded(lab)
    with locks.exclusive_lock(daemon.database):
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 5)
        preload.set(clock=86400)
        daemon.wait_sampled(5)
        preload.set(clock=-86400)
        daemon.wait_sampled(5)
        assert daemon.healthy()
    recovery = daemon.wait_stored(1)
    taken = daemon.metric("samples_total")
    daemon.assert_stops()
    assert daemon.rows() >= taken
    return recovery


@case("reload on a full disk", "tmpfs filled, SIGHUP", 4, HELD)
def reload_on_full_disk(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "full"))
    daemon = lab.daemon(state).start()
    with disk.Filler(state):
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 5)
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_sampled(10)
        assert daemon.healthy()
    recovery = daemon.wait_stored(1)
    taken = daemon.metric("samples_total")
    daemon.assert_stops()
    assert daemon.rows() >= taken
    return recovery


@case("`kill -9` on a full disk", "tmpfs filled, SIGKILL, start, space", 1, "no acknowledged sample lost")
def kill_on_full_disk(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "full"))
    daemon = lab.daemon(state).start()
    with disk.Filler(state):
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 5)
        daemon.kill()
        daemon.start(wait=False)
        daemon.wait(lambda: daemon.metric("samples_total") > 5)
        assert daemon.healthy()
    recovery = daemon.wait_stored(1)
    daemon.assert_stops()
    return recovery


@case("`kill -9` with EIO at the next start", "SIGKILL, LD_PRELOAD with EIO until samples wait", 1, HELD)
def kill_then_eio(lab):
    daemon, preload = preloaded(lab)
    daemon.wait_stored(3)
    daemon.kill()
    return assert_starts_without_storage(daemon, preload.during(errno=errno.EIO), env=preload.env)


@case("blocked stderr with a locked database", "full pipe, BEGIN EXCLUSIVE, log level debug", 2, HELD)
def blocked_stderr_with_lock(lab):
    pipe = lab.enter(process.unread_pipe())
    daemon = lab.daemon(extra='[log]\nlevel = "debug"\n').start(stderr=pipe)
    return assert_outlives(daemon, locks.exclusive_lock(daemon.database), seconds=8)


@case("clock step on a full disk", "tmpfs filled, clock set forward by 10 years and back", 7, HELD)
def clock_step_on_full_disk(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "full"))
    daemon = lab.daemon(state)
    preload = Preload(lab.directory / "control", state / "nothing")
    daemon.start(env=preload.env)
    kept = daemon.sample_times()
    with disk.Filler(state):
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 5)
        preload.set(clock=10 * 365 * 86400)
        daemon.wait_sampled(10)
        preload.set(clock=0)
        daemon.wait_sampled(10)
        assert daemon.healthy()
    recovery = daemon.wait_stored(1)
    daemon.assert_stops()
    assert set(kept) <= set(daemon.sample_times())
    return recovery


@case("storm of signals on a slow disk", "writes of 1 s, SIGHUP 200 times, then SIGTERM", 3, "exit code 0")
def storm_on_slow_disk(lab):
    daemon, preload = preloaded(lab)
    preload.set(delay=1)
    for _ in range(200):
        daemon.process.send_signal(signal.SIGHUP)
        time.sleep(0.02)
    daemon.wait_sampled(5)
    assert daemon.healthy()
    assert daemon.stop() == 0
    daemon.assert_no_sample_lost()


@case(
    "database deleted while it is locked",
    "BEGIN EXCLUSIVE in another process, unlink",
    4,
    "what is stored after the recovery survives a restart",
    bound=75.0,
)
def deleted_while_locked(lab):
    daemon = lab.daemon().start()
    with locks.exclusive_lock(daemon.database):
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 5)
        daemon.database.unlink()
    at = daemon.metric("last_sample_timestamp_seconds")
    recovery = daemon.wait(lambda: any(stored > at for stored in daemon.sample_times_or_none()), 120)
    assert_restarts(daemon)
    return recovery


@case("no descriptors and a reload", "RLIMIT_NOFILE at the open ones, SIGHUP", 3, HELD)
def reload_without_descriptors(lab):
    daemon = lab.daemon().start()
    pid = daemon.process.pid
    with process.limited(pid, resource.RLIMIT_NOFILE, process.highest_descriptor(pid) + 1):
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_sampled(15)
        assert daemon.healthy()
    recovery = daemon.wait_stored(1)
    daemon.assert_stops()
    return recovery

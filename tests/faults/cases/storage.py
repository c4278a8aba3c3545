"""Faults of storage: the disk, locks and the end of the process."""

import errno
import resource
import signal
import time
from contextlib import contextmanager

from tests.faults.injectors import disk, locks, process
from tests.faults.injectors.preload import Preload
from tests.faults.scenarios import assert_outlives, assert_starts_without_storage, preloaded
from tests.faults.table import case

BUFFERS = "sampling continues, `/-/healthy` stays 200; samples wait in memory and are all stored afterwards"
STARTS = "starts, samples, serves and is healthy without storage; stores everything afterwards"


def kill_at_random(lab, times):
    """Kill and start a daemon again and again; return the longest start in seconds."""
    daemon = lab.daemon()
    longest = 0.0
    for number in range(times):
        started = time.monotonic()
        daemon.start()
        longest = max(longest, time.monotonic() - started)
        # A fixed sequence of moments, which differ within a sampling cycle.
        end = time.monotonic() + (number * 0.37) % 0.5
        while time.monotonic() < end:
            daemon.metrics()
        daemon.kill()
    assert daemon.integrity() == "ok"
    daemon.assert_no_sample_lost()
    return longest


@case(
    "`kill -9` 30 times",
    "SIGKILL at different moments of a cycle, start again on the same database",
    1,
    "no acknowledged sample lost; the file passes `integrity_check`; each start serves",
)
def kill_30_times(lab):
    return kill_at_random(lab, 30)


@case(
    "`kill -9` 200 times",
    "SIGKILL at different moments of a cycle, start again on the same database",
    1,
    "no acknowledged sample lost; the file passes `integrity_check`; each start serves",
    long=True,
)
def kill_200_times(lab):
    return kill_at_random(lab, 200)


@case(
    "`kill -9` during the first start",
    "SIGKILL 0.1 s to 2 s after the first start, while the database is created",
    1,
    "the next start serves, nothing is quarantined",
)
def kill_during_start(lab):
    for delay in (0.1, 0.4, 0.7, 1.0, 1.5, 2.0):
        daemon = lab.daemon()
        daemon.start(wait=False, new=True)
        time.sleep(delay)
        daemon.kill()
        daemon.start()
        assert daemon.quarantined() == []
        daemon.assert_stops()


@case(
    "power cut",
    "copy of the block device of an ext4 file system, mounted elsewhere; three times",
    1,
    "every sample acknowledged before the copy is on it",
)
def power_cut(lab):
    lab.mounts()
    lab.need("mkfs.ext4")
    image = lab.directory / "image"
    state = lab.enter(disk.loop_ext4(lab.directory / "ext4", image))
    daemon = lab.daemon(state).start()
    for number in range(3):
        daemon.wait_stored(5)
        daemon.metrics()
        # The daemon stops meanwhile, so that the copy is of one moment.
        daemon.process.send_signal(signal.SIGSTOP)
        copied = lab.directory / f"copy{number}"
        copied.write_bytes(image.read_bytes())
        daemon.process.send_signal(signal.SIGCONT)
        with disk.mounted_image(lab.directory / f"mounted{number}", copied) as directory:
            assert len(daemon.sample_times(directory / daemon.database.name)) >= daemon.acknowledged()
    daemon.assert_stops()


@case("disk full", "tmpfs filled to the last byte, then emptied", 4, BUFFERS)
def disk_full(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "full"))
    return assert_outlives(lab.daemon(state).start(), disk.Filler(state))


@case("disk full at start", "tmpfs filled to the last byte before the first start", 4, STARTS)
def disk_full_at_start(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "full"))
    return assert_starts_without_storage(lab.daemon(state), disk.Filler(state))


@case("disk full at a restart", "tmpfs filled while the daemon was stopped", 4, STARTS)
def disk_full_at_restart(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "full"))
    daemon = lab.daemon(state).start()
    daemon.assert_stops()
    return assert_starts_without_storage(daemon, disk.Filler(state))


@case("a little space after a full disk", "tmpfs filled; then 256 KiB freed", 4, BUFFERS)
def disk_almost_full(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "full"))
    daemon = lab.daemon(state).start()
    with disk.Filler(state) as filler:
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 5)
        filler.free(2**18)
        recovery = daemon.wait_stored(1)
    daemon.assert_stops()
    return recovery


@case("no inodes", "tmpfs with every inode in use, then freed", 4, "sampling and storing continue")
def no_inodes(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "inodes", "size=8m,nr_inodes=40"))
    return assert_outlives(lab.daemon(state).start(), disk.no_inodes(state), seconds=4, buffers=False)


@case("no inodes at start", "tmpfs with every inode in use before the first start", 4, STARTS)
def no_inodes_at_start(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "inodes", "size=8m,nr_inodes=40"))
    return assert_starts_without_storage(lab.daemon(state), disk.no_inodes(state))


@case("read-only file system at start", "mount -o remount,ro before the first start, then rw", 4, STARTS)
def read_only_at_start(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "ro"))
    return assert_starts_without_storage(lab.daemon(state), disk.read_only(state))


@case("read-only file system at a restart", "mount -o remount,ro while the daemon was stopped, then rw", 4, STARTS)
def read_only_at_restart(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "ro"))
    daemon = lab.daemon(state).start()
    daemon.assert_stops()
    return assert_starts_without_storage(daemon, disk.read_only(state))


@case("SIGTERM on a read-only file system", "mount -o remount,ro before the start", 3, "exit code 0")
def stop_on_read_only(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "ro"))
    daemon = lab.daemon(state)
    with disk.read_only(state):
        daemon.start(wait=False, new=True)
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 5)
        assert daemon.stop() == 0


@case("every write fails with EIO", "LD_PRELOAD on write, sync, truncate and create", 4, BUFFERS)
def writes_fail_eio(lab):
    return failing_writes(lab, errno.EIO)


@case("every write fails with EDQUOT", "LD_PRELOAD on write, sync, truncate and create", 4, BUFFERS)
def writes_fail_edquot(lab):
    return failing_writes(lab, errno.EDQUOT)


@case("every write fails with EROFS", "LD_PRELOAD on write, sync, truncate and create", 4, BUFFERS)
def writes_fail_erofs(lab):
    return failing_writes(lab, errno.EROFS)


def failing_writes(lab, number):
    daemon, preload = preloaded(lab)
    return assert_outlives(daemon, preload.during(errno=number))


@case("EIO at start", "LD_PRELOAD on write, sync, truncate and create", 4, STARTS)
def eio_at_start(lab):
    daemon = lab.daemon()
    preload = Preload(lab.directory / "control", daemon.state)
    return assert_starts_without_storage(daemon, preload.during(errno=errno.EIO), env=preload.env)


@case("writes and syncs of 2 s each", "LD_PRELOAD with a delay, for 15 s", 2, BUFFERS)
def slow_writes(lab):
    daemon, preload = preloaded(lab)
    return assert_outlives(daemon, preload.during(delay=2), seconds=15)


@case("frozen file system", "fsfreeze of an ext4 file system for 20 s", 2, BUFFERS)
def frozen_file_system(lab):
    lab.mounts()
    lab.need("mkfs.ext4", "fsfreeze")
    state = lab.enter(disk.loop_ext4(lab.directory / "ext4", lab.directory / "image"))
    return assert_outlives(lab.daemon(state).start(), disk.frozen(state), seconds=20)


@case("file size limit", "RLIMIT_FSIZE at 16 KiB", 4, BUFFERS)
def file_size_limit(lab):
    daemon = lab.daemon().start()
    return assert_outlives(daemon, process.limited(daemon.process.pid, resource.RLIMIT_FSIZE, 2**14))


@case("database locked for 60 s", "BEGIN EXCLUSIVE in another process", 2, BUFFERS)
def locked_60_seconds(lab):
    daemon = lab.daemon().start()
    return assert_outlives(daemon, locks.exclusive_lock(daemon.database), seconds=60)


@case("write lock held for 15 s", "BEGIN IMMEDIATE in another process", 2, BUFFERS)
def write_locked(lab):
    daemon = lab.daemon().start()
    return assert_outlives(daemon, locks.write_lock(daemon.database), seconds=15)


@case("lock that comes and goes", "BEGIN EXCLUSIVE for 0.3 s, 20 times", 2, "no sample lost, none missed for long")
def flickering_lock(lab):
    @contextmanager
    def flickering():
        for _ in range(20):
            with locks.exclusive_lock(daemon.database):
                time.sleep(0.3)
        yield

    daemon = lab.daemon().start()
    return assert_outlives(daemon, flickering(), buffers=False)


@case("database locked at start", "BEGIN EXCLUSIVE in another process", 4, STARTS)
def locked_at_start(lab):
    daemon = lab.daemon().start()
    daemon.assert_stops()
    return assert_starts_without_storage(daemon, locks.exclusive_lock(daemon.database))


@case(
    "SIGTERM while the database is locked",
    "BEGIN EXCLUSIVE in another process until after the stop",
    1,
    "exit code 0; the next start stores every sample that was waiting",
)
def stop_while_locked(lab):
    daemon = lab.daemon().start()
    with locks.exclusive_lock(daemon.database):
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 10)
        taken = daemon.metric("samples_total")
        assert daemon.stop() == 0
    daemon.start()
    daemon.assert_stops()
    assert daemon.rows() >= taken + 2


@case(
    "SIGTERM while every write fails",
    "LD_PRELOAD with EIO on the database alone until after the stop",
    1,
    "exit code 0; the next start stores every sample that was waiting",
)
def stop_while_writes_fail(lab):
    daemon = lab.daemon()
    preload = Preload(lab.directory / "control", daemon.database)
    daemon.start(env=preload.env)
    preload.set(errno=errno.EIO)
    daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 10)
    taken = daemon.metric("samples_total")
    assert daemon.stop() == 0
    preload.set(errno=0)
    daemon.start()
    daemon.assert_stops()
    assert daemon.rows() >= taken + 2


@case("SIGTERM on a full disk", "tmpfs filled to the last byte until after the stop", 3, "exit code 0")
def stop_on_full_disk(lab):
    lab.mounts()
    state = lab.enter(disk.tmpfs(lab.directory / "full"))
    daemon = lab.daemon(state).start()
    with disk.Filler(state):
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 5)
        assert daemon.stop() == 0
    daemon.start()
    daemon.assert_stops()


@case(
    "buffer full",
    "database locked, capacity of the buffer reduced to 20",
    3,
    "the oldest samples are dropped and counted; the others are stored afterwards",
)
def buffer_full(lab):
    daemon = lab.daemon()
    daemon.start(
        fault="import monitor.sampling.write_buffer as b; b.WriteBuffer.__init__.__kwdefaults__['capacity'] = 20"
    )
    with locks.exclusive_lock(daemon.database):
        daemon.wait(lambda: daemon.metric("samples_dropped_total") > 5)
        assert daemon.healthy()
        assert daemon.metric("storage_buffered_samples") <= 20
    recovery = daemon.wait_stored(1)
    dropped = daemon.metric("samples_dropped_total")
    taken = daemon.metric("samples_total")
    daemon.assert_stops()
    assert daemon.rows() >= taken - dropped
    return recovery


@case(
    "reader that never ends its transaction",
    "open read transaction in another process",
    3,
    "storing continues; `monitor_storage_wal_bytes` shows the growth",
)
def pinned_reader(lab):
    daemon = lab.daemon().start()
    with locks.pinned_reader(daemon.database):
        daemon.wait(lambda: daemon.metric("storage_wal_bytes") > 2**17)
        assert daemon.healthy()
    daemon.assert_stops()

"""Checks of the file system of the database: free space, inodes, type."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from monitor.doctor.context import DoctorContext
from monitor.doctor.results import failed, ok, skipped, warning
from monitor.documents.doctor import CheckId, CheckResult
from monitor.system.formatting import format_bytes

MIN_FREE_BYTES = 32 * 2**20
"""Free bytes below which the check fails; the write-ahead log alone may take half of them."""

MIN_FREE_INODES = 8
"""Free inodes below which the check fails; enough for database, write-ahead log, its index and the lock files."""

BYTES_PER_SAMPLE = 50
"""Assumed size in bytes of a sample with its predictions for three horizons, while it cannot be measured.

A compressed one takes about 35 bytes. The 17,280 samples of the last day, at 5 seconds, take 260 bytes each.
"""

MEASURABLE_SAMPLES = 500_000
"""Length of the stored history, in sampling intervals, from which the size per sample is measured."""

NO_DIRECTORY = "no directory exists yet"

NETWORK_TYPES = ("nfs", "cifs", "smb", "9p", "ceph", "glusterfs", "lustre", "afs", "fuse.sshfs")
"""Prefixes of the types of network file systems."""

VOLATILE_TYPES = {
    "tmpfs": "deleted at the next boot",
    "ramfs": "deleted at the next boot",
    "overlay": "deleted with the container",
}
"""Types of file systems that are not persistent, each with the event that deletes the content."""


def check_space(context: DoctorContext) -> Iterator[CheckResult]:
    """Check free space and free inodes of the database's file system, and that it is not mounted read-only."""
    directory = _existing_directory(context.directory)
    if directory is None:
        yield skipped(CheckId.DISK_SPACE, NO_DIRECTORY)
        return
    status = os.statvfs(directory)
    growth, bytes_per_sample = expected_growth(context)
    yield assess_space(status.f_bavail * status.f_frsize, growth, bytes_per_sample)
    yield assess_inodes(status.f_favail, status.f_files)
    if status.f_flag & os.ST_RDONLY:
        fix = f"run `mount -o remount,rw {_mount(directory)[0]}`, then look for the cause: `dmesg`"
        yield failed(CheckId.MOUNT, f"{directory} is mounted read-only", fix)


def expected_growth(context: DoctorContext) -> tuple[int, float]:
    """Return the bytes by which the database will grow until it covers `storage.retention`, and the bytes per sample.

    The size per sample is measured if the history is long enough (MEASURABLE_SAMPLES), otherwise BYTES_PER_SAMPLE.
    """
    size = context.files.size + context.files.wal_size if context.files else 0
    interval = context.config.sampling.interval
    bytes_per_sample = float(BYTES_PER_SAMPLE)
    overview = context.records.overview if context.records else None
    if overview and overview.last_sample is not None and overview.oldest_sample_at is not None:
        samples = (overview.last_sample.at - overview.oldest_sample_at) / interval
        if samples >= MEASURABLE_SAMPLES:
            bytes_per_sample = size / samples
    full_size = round(bytes_per_sample * context.config.storage.retention / interval)
    return max(0, full_size - size), bytes_per_sample


def assess_space(free: int, growth: int, bytes_per_sample: float) -> CheckResult:
    """Return a failure below MIN_FREE_BYTES of free space; a warning if the database will outgrow the free space.

    Args:
        free: free space in bytes.
        growth: expected growth of the database in bytes.
        bytes_per_sample: size of a stored sample in bytes.
    """
    message = (
        f"{format_bytes(free)} free; the database will grow by {format_bytes(growth)} until storage.retention "
        f"({bytes_per_sample:.0f} bytes per sample)"
    )
    fix = "free space, lower storage.retention, or stop the daemon and move the database (storage.url)"
    if free < MIN_FREE_BYTES:
        return failed(CheckId.DISK_SPACE, message, fix)
    if free < growth:
        return warning(CheckId.DISK_SPACE, message, fix)
    return ok(CheckId.DISK_SPACE, message)


def assess_inodes(free: int, total: int) -> CheckResult:
    """Return a failure if fewer than MIN_FREE_INODES inodes are free.

    Args:
        free: number of free inodes.
        total: number of inodes; 0 if the file system has no fixed number, so that the check is skipped.
    """
    if not total:
        return skipped(CheckId.INODES, "this file system has no fixed number of inodes")
    message = f"{free} of {total} free"
    if free < MIN_FREE_INODES:
        return failed(CheckId.INODES, message, "delete files on it: `df -i` shows the file systems")
    return ok(CheckId.INODES, message)


def check_file_system(context: DoctorContext) -> Iterator[CheckResult]:
    """Check that the database is on a local, persistent file system."""
    directory = _existing_directory(context.directory)
    if directory is None:
        yield skipped(CheckId.FILE_SYSTEM, NO_DIRECTORY)
    else:
        yield assess_file_system(*_mount(directory))


def assess_file_system(mount_point: str, kind: str) -> CheckResult:
    """Return a warning for a network file system, on which WAL is unsafe, or for a volatile file system.

    Args:
        mount_point: directory on which the file system is mounted.
        kind: type of the file system, such as ext4; empty if unknown.
    """
    message = f"{kind or 'unknown'} on {mount_point}"
    fix = "move the database to a local disk: storage.url"
    if kind.startswith(NETWORK_TYPES):
        return warning(CheckId.FILE_SYSTEM, f"{message}: SQLite's write-ahead log is unsafe over a network", fix)
    if kind in VOLATILE_TYPES:
        return warning(CheckId.FILE_SYSTEM, f"{message}: the history is {VOLATILE_TYPES[kind]}", fix)
    return ok(CheckId.FILE_SYSTEM, message)


def _mount(path: Path) -> tuple[str, str]:
    """Return mount point and type of the file system that holds a path; "/" and "" if it is not listed."""
    real_path = path.resolve()
    partitions = psutil.disk_partitions(all=True)
    candidates = [partition for partition in partitions if real_path.is_relative_to(partition.mountpoint)]
    if not candidates:
        return "/", ""
    # If several file systems are mounted on one directory, the last mount is visible. max() returns the first of
    # several candidates with the longest path, so the order is reversed.
    partition = max(reversed(candidates), key=lambda candidate: len(candidate.mountpoint))
    return partition.mountpoint, partition.fstype


def _existing_directory(path: Path | None) -> Path | None:
    """Return `path` or its nearest existing parent; None if there is none or `path` is None."""
    if path is None:
        return None
    return next((directory for directory in (path, *path.parents) if os.access(directory, os.F_OK)), None)

"""Whether there is room for the history, and on what."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from monitor.doctor.context import Evidence
from monitor.doctor.results import Result, failed, ok, skipped, warning

NO_ROOM = 32 * 2**20
"""Bytes; the write-ahead log alone may take half of it."""

NO_INODES = 8
"""Database, log, its index and locks are eight at most."""

BYTES_A_SAMPLE = 290
"""With its predictions for three horizons; for as long as a history is too short to tell."""

ENOUGH_TO_TELL = 10_000
"""Samples from which on their own size counts."""

NETWORK = ("nfs", "cifs", "smb", "9p", "ceph", "glusterfs", "lustre", "afs", "fuse.sshfs")
FLEETING = {"tmpfs": "the next boot", "ramfs": "the next boot", "overlay": "the end of the container"}
"""What ends a history that lies on such a file system."""


def room(evidence: Evidence) -> Iterator[Result]:
    """Bytes and inodes that are free, against what is still to come."""
    there = _existing(evidence.directory)
    if there is None:
        yield skipped("disk space", "no directory to look at")
        return
    found = os.statvfs(there)
    yield judge_room(found.f_bavail * found.f_frsize, *growth(evidence))
    yield judge_inodes(found.f_favail, found.f_files)
    if found.f_flag & os.ST_RDONLY:
        yield failed(
            "mount", f"{there} is mounted read-only", f"mount -o remount,rw {_mount(there)[0]}; then see dmesg"
        )


def growth(evidence: Evidence) -> tuple[int, float]:
    """Bytes that the database will still grow by, and those a sample takes."""
    config, stored = evidence.config, evidence.stored
    size = evidence.outside.size + evidence.outside.wal_size if evidence.outside else 0
    each, interval = float(BYTES_A_SAMPLE), config.sampling.interval
    if (
        stored is not None
        and stored.overview.last_sample is not None
        and stored.overview.oldest_sample_at is not None
    ):
        rows = (stored.overview.last_sample.at - stored.overview.oldest_sample_at) / interval
        if rows >= ENOUGH_TO_TELL:
            each = size / rows
    return max(0, round(each * config.storage.retention / interval) - size), each


def judge_room(free: int, to_come: int, each: float) -> Result:
    """Whether the history fits; all in bytes, `each` of them a sample."""
    told = f"{_size(free)} free; {_size(to_come)} still to come until storage.retention ({each:.0f} bytes a sample)"
    mend = "make room, lower storage.retention, or move the database (storage.url) with the daemon stopped"
    if free < NO_ROOM:
        return failed("disk space", told, mend)
    return warning("disk space", told, mend) if free < to_come else ok("disk space", told)


def judge_inodes(free: int, total: int) -> Result:
    """Whether a file can be made; some file systems count none."""
    if not total:
        return skipped("inodes", "this file system counts none")
    if free < NO_INODES:
        return failed("inodes", f"{free} of {total} free", "delete files on it: df -i")
    return ok("inodes", f"{free} of {total} free")


def file_system(evidence: Evidence) -> Iterator[Result]:
    """What kind the database lies on."""
    there = _existing(evidence.directory)
    if there is None:
        yield skipped("file system", "no directory to look at")
    else:
        yield judge_file_system(*_mount(there))


def judge_file_system(mounted_on: str, kind: str) -> Result:
    """Whether a write-ahead log can be kept there, and outlives the machine."""
    told = f"{kind or 'unknown'} on {mounted_on}"
    mend = "put the database on a local disk: storage.url"
    if kind.startswith(NETWORK):
        return warning("file system", f"{told}: SQLite's write-ahead log is not safe over a network", mend)
    if kind in FLEETING:
        return warning("file system", f"{told}: the history ends with {FLEETING[kind]}", mend)
    return ok("file system", told)


def _mount(path: Path) -> tuple[str, str]:
    """Where the file system of a path is mounted, and its kind."""
    real = path.resolve()
    over = [part for part in psutil.disk_partitions(all=True) if real.is_relative_to(part.mountpoint)]
    # Of several mounts on one place the last one is what is seen.
    found = max(enumerate(over), key=lambda at: (len(at[1].mountpoint), at[0]), default=None)
    return ("/", "") if found is None else (found[1].mountpoint, found[1].fstype)


def _existing(path: Path | None) -> Path | None:
    """The nearest directory above that is there: the database may not have been made yet."""
    return None if path is None else next((one for one in (path, *path.parents) if os.access(one, os.F_OK)), None)


def _size(number: float) -> str:
    return f"{number / 2**30:.1f} GiB" if number >= 2**30 else f"{number / 2**20:.1f} MiB"

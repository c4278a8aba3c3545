"""Mounted file systems: local file systems that can fill up, and their use.

Pseudo, network and read-only file systems are left out: the first have no space, and a call on the second may never
return.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from monitor.sampling.sources import procfs

MAX_FILESYSTEMS = 20
"""Largest number of file systems; of more, the largest ones are chosen."""

MAX_NAME = 200
"""Largest number of characters of a mount point in records and metrics; a longer one is shortened at its start."""

LOCAL_TYPES = frozenset(
    (
        *("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "bcachefs", "f2fs", "jfs", "nilfs2", "reiserfs", "ufs"),
        *("vfat", "exfat", "ntfs", "ntfs3", "fuseblk", "hfsplus", "udf"),
    )
)
"""Types of local file systems that may be written to."""

SHARED_TYPES = frozenset({"btrfs", "zfs", "bcachefs"})
"""Types whose files have other device numbers than their mount."""

ROOT_TYPES = frozenset({"overlay"})
"""Types that count only as the root directory, where a container has its space."""

IS_CONTAINED = bool(os.environ.get(procfs.PROCFS_VARIABLE))
TABLE = "1/mountinfo" if IS_CONTAINED else "self/mountinfo"
"""Table of the mounts: in a container, that of the host."""


@dataclass(frozen=True)
class Mount:
    """Mounted file system.

    Attributes:
        point: mount point.
        kind: type of the file system.
        device: device number, "major:minor".
        root: directory within the file system that is mounted.
    """

    point: str
    kind: str
    device: str
    root: str


@dataclass(frozen=True)
class FilesystemUsage:
    """Use of one file system, as df reports it: what is reserved for root does not count.

    Attributes:
        name: mount point, shortened to MAX_NAME characters.
        identity: identity of the file system; after a reboot the same.
        used: bytes in use.
        size: bytes in use and available to users.
        inode_usage: used inodes as a ratio; None if their number is not fixed.
    """

    name: str
    identity: str
    used: float
    size: float
    inode_usage: float | None


def read_mounts(exclude: Sequence[str] = (), types: Sequence[str] = ()) -> list[Mount]:
    """Return one mount of each local file system that can be written to, by mount point.

    Args:
        exclude: shell patterns of mount points to leave out.
        types: further types of file systems to include, such as tmpfs.

    Raises:
        OSError: the table of mounts cannot be read.
    """
    lines = procfs.read_whole_proc(TABLE).splitlines()
    chosen: dict[str, Mount] = {}
    for mount in filter(None, map(parse_mount, lines)):
        if not _is_counted(mount, types) or any(fnmatchcase(mount.point, pattern) for pattern in exclude):
            continue
        known = chosen.get(mount.device)
        if known is None or _rank(mount) < _rank(known):
            chosen[mount.device] = mount
    return sorted(chosen.values(), key=lambda mount: mount.point)


def parse_mount(line: str) -> Mount | None:
    """Return the mount of a line of mountinfo (proc_pid_mountinfo(5)).

    None for a malformed line and a read-only file system. The options of the mount itself are ignored: the sandbox of
    systemd mounts everything read-only.
    """
    left, separator, right = line.partition(" - ")
    columns = left.split(" ")
    rest = right.split(" ")
    if not separator or len(columns) < 6 or len(rest) < 3 or "ro" in rest[2].split(","):
        return None
    return Mount(point=_unescaped(columns[4]), kind=rest[0], device=columns[2], root=_unescaped(columns[3]))


def read_usage(mounts: Iterable[Mount]) -> list[FilesystemUsage]:
    """Return the use of each mount that can be read, at most MAX_FILESYSTEMS, by mount point.

    A mount that another one hides, or without space, is left out.
    """
    readable = [usage for usage in map(_usage_of, mounts) if usage is not None]
    largest = sorted(readable, key=lambda usage: (-usage.size, usage.name))[:MAX_FILESYSTEMS]
    return sorted(largest, key=lambda usage: usage.name)


def _usage_of(mount: Mount) -> FilesystemUsage | None:
    path = f"{procfs.PROCFS}/1/root{mount.point}" if IS_CONTAINED else mount.point
    try:
        if mount.kind not in SHARED_TYPES and _device_of(path) != mount.device:
            return None
        figures = os.statvfs(path)
    except OSError:
        return None
    used = (figures.f_blocks - figures.f_bfree) * figures.f_frsize
    size = used + figures.f_bavail * figures.f_frsize
    if size <= 0 or used < 0:
        return None
    inodes = figures.f_files
    free = min(figures.f_ffree, inodes)
    return FilesystemUsage(
        name=shortened(mount.point),
        identity=f"{mount.kind}:{figures.f_fsid:x}",
        used=float(used),
        size=float(size),
        inode_usage=1 - free / inodes if inodes > 0 else None,
    )


def shortened(point: str) -> str:
    """Return a mount point with at most MAX_NAME printable characters."""
    printable = "".join(character if character.isprintable() else "?" for character in point)
    return printable if len(printable) <= MAX_NAME else "..." + printable[-(MAX_NAME - 3) :]


def _device_of(path: str) -> str:
    number = os.stat(path).st_dev  # noqa: PTH116  a Path per mount and sample costs more than the call
    return f"{os.major(number)}:{os.minor(number)}"


def _is_counted(mount: Mount, types: Sequence[str]) -> bool:
    is_root = mount.point == "/" and mount.kind in ROOT_TYPES
    return mount.kind in LOCAL_TYPES or mount.kind in types or is_root


def _rank(mount: Mount) -> tuple[bool, int, str]:
    """Return the order in which mounts of the same file system are preferred: whole ones, then short paths."""
    return mount.root != "/", len(mount.point), mount.point


def _unescaped(text: str) -> str:
    """Return a path of mountinfo, in which space, tab, line end and backslash are octal numbers."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text

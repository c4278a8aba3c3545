"""Faults of the file system: full, without inodes, read-only, frozen. The lab must have mounts of its own."""

import os
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def tmpfs(directory, options="size=8m"):
    """Mount an empty tmpfs at a new directory, for a `with` block; yield the directory."""
    directory.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"mode=700,{options}", "tmpfs", directory)
    try:
        yield directory
    finally:
        run("umount", "-l", directory)


def remount(directory, options):
    """Change the options of a mounted file system, for example its size."""
    run("mount", "-o", f"remount,{options}", directory)


@contextmanager
def read_only(directory):
    """Make a mounted file system, on which no file is open for writing, read-only for a `with` block."""
    remount(directory, "ro")
    try:
        yield
    finally:
        remount(directory, "rw")


class Filler:
    """File that takes all the space of a file system."""

    def __init__(self, directory):
        self._path = directory / "filler"

    def __enter__(self):
        # Blocks of decreasing size, so that no byte is left.
        with self._path.open("ab", buffering=0) as file:
            for size in (2**16, 2**12, 1):
                with suppress(OSError):
                    while file.write(b"\0" * size) == size:
                        pass
        return self

    def free(self, size):
        """Free some bytes."""
        os.truncate(self._path, self._path.stat().st_size - size)

    def __exit__(self, *_):
        self._path.unlink()


@contextmanager
def no_inodes(directory):
    """Use every inode of a file system for a `with` block."""
    created = []
    with suppress(OSError):
        while True:
            path = directory / f"inode{len(created)}"
            path.touch()
            created.append(path)
    try:
        yield
    finally:
        for path in created:
            path.unlink()


@contextmanager
def loop_ext4(directory, image, megabytes=32):
    """Mount a new ext4 file system in a file, for a `with` block; yield the directory."""
    directory.mkdir()
    with Path(image).open("wb") as file:
        file.truncate(megabytes * 2**20)
    run("mkfs.ext4", "-q", "-F", image)
    with mounted_image(directory, image):
        yield directory


@contextmanager
def mounted_image(directory, image):
    """Mount a file system in a file, for a `with` block; yield the directory."""
    directory.mkdir(exist_ok=True)
    run("mount", "-o", "loop", image, directory)
    try:
        yield directory
    finally:
        run("umount", "-l", directory)


@contextmanager
def frozen(directory):
    """Freeze a file system for a `with` block: every write waits."""
    run("fsfreeze", "--freeze", directory)
    try:
        yield
    finally:
        run("fsfreeze", "--unfreeze", directory)

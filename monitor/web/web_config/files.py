"""File reader: size-limited reads, with file versions to detect changes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MAX_FILE_BYTES = 131_072
"""Largest size of a file, in bytes; parsing larger YAML takes seconds."""

FileVersion = tuple[int, ...]
"""Device, inode, size and times of a file; empty if the file cannot be accessed."""


class FileReader:
    """Size-limited file reader that resolves relative paths against a directory and records file versions.

    Attributes:
        versions: `FileVersion` for the path of each requested file, including files that could not be read.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.versions: dict[Path, FileVersion] = {}

    def read_text(self, name: str) -> str:
        """Return the content of a file.

        Args:
            name: path, absolute or relative to the directory.

        Raises:
            ValueError: the file cannot be read; the message names the path and the reason.
        """
        path = self._directory / name
        self.versions[path] = file_version(path)
        try:
            with open(path, "rb", opener=_open_nonblocking) as file:
                status = os.fstat(file.fileno())
                self.versions[path] = _version_of(status)
                if not stat.S_ISREG(status.st_mode):
                    raise ValueError(f"{path}: cannot be read: not a regular file")
                content = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"{path}: cannot be read: larger than {MAX_FILE_BYTES >> 10} KiB")
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: cannot be read: not UTF-8 text") from error


def file_version(path: Path) -> FileVersion:
    """Return the current version of a file; empty if the file cannot be accessed."""
    try:
        return _version_of(path.stat())
    except OSError:
        return ()


def _version_of(status: os.stat_result) -> FileVersion:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _open_nonblocking(path: str, flags: int) -> int:
    """Open a file without waiting for the writer of a FIFO."""
    return os.open(path, flags | os.O_NONBLOCK)

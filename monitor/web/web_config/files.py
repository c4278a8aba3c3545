"""File reader: texts with file versions, to detect changes."""

from __future__ import annotations

import os
from pathlib import Path

from monitor.system.text_files import read_text

FileVersion = tuple[int, ...]
"""Device, inode, size and times of a file; empty if the file cannot be accessed."""


class FileReader:
    """File reader that resolves relative paths against a directory and records file versions.

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
        text, status = read_text(path)
        self.versions[path] = _version_of(status)
        return text


def file_version(path: Path) -> FileVersion:
    """Return the current version of a file; empty if the file cannot be accessed."""
    try:
        return _version_of(path.stat())
    except (OSError, ValueError):
        # A path with a NUL is a ValueError.
        return ()


def _version_of(status: os.stat_result) -> FileVersion:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

"""Whose the files of a database are.

A service keeps its database under a user of its own, and root looks after it from outside. A file that root makes
there must not lock the service out: it belongs to the owner of its directory. SQLite does the same for its log.
"""

from __future__ import annotations

import os
from pathlib import Path


def create_as_owner(path: Path, flags: int) -> int:
    """Makes a file with mode 0600 that belongs to the owner of its directory, as far as this process may give it.

    Only ever a new file changes hands: one that is there may be a link, laid by a user for root to follow.

    Returns:
        Its descriptor, opened with `flags`.

    Raises:
        FileExistsError: it is there.
        OSError: it cannot be made.
    """
    descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        try:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        except OSError:
            # A root without that right, or a file system without owners: the file is as good as it can be.
            return descriptor
    return descriptor


def open_as_owner(path: Path, flags: int) -> int:
    """The descriptor of a file, which is made as `create_as_owner` does where it is absent.

    Raises:
        OSError: it can be neither opened nor made.
    """
    while True:
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            try:
                return create_as_owner(path, flags)
            except FileExistsError:
                # Somebody else made it between the two; a link that leads nowhere is no file to wait for.
                if path.is_symlink():
                    raise

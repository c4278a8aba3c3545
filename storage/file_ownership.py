"""File ownership: root gives new files to the owner of the database directory.

The daemon runs as its own user, and root runs commands on the same database. Without the change of owner, the daemon
could not open a file that root created. SQLite changes the owner of its write-ahead log in the same way.
"""

from __future__ import annotations

import os
from pathlib import Path

from storage.errors import StorageError, StorageErrorKind


def create_as_owner(path: Path, flags: int) -> int:
    """Create a file with mode 0600; as root, give it to the owner of its directory if the system permits.

    The owner of an existing file is never changed: the path may be a symbolic link that another user placed.

    Args:
        path: path of the file.
        flags: flags of `os.open`.

    Returns:
        The file descriptor.

    Raises:
        FileExistsError: the file exists.
        OSError: the file cannot be created.
    """
    descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        try:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        except OSError:
            # Root without CAP_CHOWN, or a file system without owners: keep the file as it is.
            return descriptor
    return descriptor


def open_as_owner(path: Path, flags: int) -> int:
    """Open a file; create it with `create_as_owner` if it does not exist.

    Args:
        path: path of the file.
        flags: flags of `os.open`.

    Returns:
        The file descriptor.

    Raises:
        OSError: the file can be neither opened nor created.
    """
    while True:
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            try:
                return create_as_owner(path, flags)
            except FileExistsError:
                # Another process created it in between. A dangling symbolic link would be retried forever.
                if path.is_symlink():
                    raise


def make_directories(path: Path, mode: int = 0o700) -> None:
    """Create a directory and its missing parents, all with the same mode; do nothing if it exists.

    Args:
        path: path of the directory.
        mode: permissions, reduced by the umask.

    Raises:
        OSError: a directory cannot be created.
    """
    missing = [directory for directory in (path, *path.parents) if not directory.exists()]
    for directory in reversed(missing):
        # `parents=True` would create the parents with mode 0777.
        directory.mkdir(mode=mode, exist_ok=True)


def prepare_database_file(path: Path) -> None:
    """Create the database file with mode 0600 if it does not exist, or check that it can be read and written.

    SQLite creates the write-ahead log with the same mode.

    Args:
        path: path of the database file; missing directories are created.

    Raises:
        StorageError: the path is not a regular file, this user may not read and write it, or the path is a symbolic
            link that another user placed.
        OSError: the file cannot be created.
    """
    make_directories(path.parent)
    _check_link(path)
    try:
        # Only a new file is opened here: closing a descriptor of a database that this process has open would
        # release the locks that SQLite holds on it.
        os.close(create_as_owner(path, os.O_RDWR | os.O_CLOEXEC))
    except FileExistsError:
        if not path.is_file():
            raise StorageError.of_kind(StorageErrorKind.NOT_A_FILE, str(path), "not a file") from None
        if not os.access(path, os.R_OK | os.W_OK):
            detail = "this user may not read and write it"
            raise StorageError.of_kind(StorageErrorKind.NO_ACCESS, str(path), detail) from None


def _check_link(path: Path) -> None:
    """Refuse a symbolic link that neither this user nor root nor the owner of its target created.

    The rule is that of the kernel for world-writable directories (fs.protected_symlinks): a user of the database
    directory could otherwise make root open any file.

    Raises:
        StorageError: the link is refused.
    """
    if not path.is_symlink() or not path.exists():
        return
    creator = path.lstat().st_uid
    if creator not in {0, os.geteuid(), path.stat().st_uid}:
        detail = f"a symbolic link of user {creator} to a file of another user"
        raise StorageError.of_kind(StorageErrorKind.NO_ACCESS, str(path), detail)

"""Checks of permissions: state directory, owners, write access, configuration, private keys."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from monitor.doctor.context import DoctorContext
from monitor.doctor.results import failed, ok, skipped, warning
from monitor.documents.doctor import CheckId, CheckResult
from monitor.errors import ConfigError
from monitor.notifications.sending import Secrets, secret_directories
from monitor.system.service.unit import bound_paths
from monitor.web.web_config.files import FileReader
from monitor.web.web_config.loader import load_web_config_file

EVERY_USER = "every user"


def check_state_directory(context: DoctorContext) -> Iterator[CheckResult]:
    """Check that the database's directory exists and is writable, and that its owner owns the database files."""
    directory = context.directory
    if directory is None or context.database is None:
        yield skipped(CheckId.STATE_DIRECTORY, str(context.files_error))
        return
    if not os.access(directory, os.F_OK):
        yield _missing_directory(directory)
        return
    owner = directory.stat().st_uid
    message = f"{directory}, owned by {user_name(owner)}"
    if not directory.is_dir():
        yield failed(CheckId.STATE_DIRECTORY, f"{directory} is not a directory", "move it away, or set storage.url")
    elif not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        user = os.geteuid()
        fix = f"run this with sudo, or run `chown {user} {directory}`"
        yield failed(CheckId.STATE_DIRECTORY, f"{message}; not writable for {user_name(user)}", fix)
    else:
        yield ok(CheckId.STATE_DIRECTORY, f"{message}; writable for this user")
        yield assess_owners(directory, owner, _file_owners(context.database))


def _missing_directory(directory: Path) -> CheckResult:
    parent = next(path for path in directory.parents if os.access(path, os.F_OK))
    if os.access(parent, os.W_OK | os.X_OK):
        fix = "start the daemon, which creates it"
        return warning(CheckId.STATE_DIRECTORY, f"{directory} does not exist yet", fix)
    fix = f"run `sudo mkdir -p {directory}`, then `sudo chown` it to the daemon's user"
    message = f"{directory} does not exist, and {parent} is not writable for this user"
    return failed(CheckId.STATE_DIRECTORY, message, fix)


def _file_owners(database: Path) -> dict[str, int]:
    files = database.parent.glob(f"{database.name}*")
    return {path.name: path.lstat().st_uid for path in files}


def assess_owners(directory: Path, owner: int, file_owners: Mapping[str, int]) -> CheckResult:
    """Return a failure if a database file does not belong to the owner of the directory.

    The daemon runs as this owner.

    Args:
        directory: directory of the database.
        owner: UID of the owner of the directory.
        file_owners: UID of the owner of each file, keyed by file name.
    """
    others = {name: user for name, user in file_owners.items() if user != owner}
    if others:
        files = ", ".join(f"{name} is owned by {user_name(user)}" for name, user in others.items())
        message = f"{files}, the directory by {user_name(owner)}"
        return failed(CheckId.FILE_OWNERS, message, f"run `chown {owner} {directory}/*`")
    return ok(CheckId.FILE_OWNERS, f"{len(file_owners)} files, all owned by {user_name(owner)}")


def check_config_permissions(context: DoctorContext) -> Iterator[CheckResult]:
    """Check that every user, and therefore the user of the service, can read the configuration."""
    path = context.config.path
    if path is None:
        yield skipped(CheckId.CONFIG_PERMISSIONS, "no configuration file")
        return
    blocking = _blocking_path(path)
    if blocking is None:
        yield ok(CheckId.CONFIG_PERMISSIONS, f"{path} is readable for every user")
    else:
        message = f"{blocking} is not readable for the user of the service"
        yield warning(CheckId.CONFIG_PERMISSIONS, message, f"run `chmod o+rX {blocking}`")


def _blocking_path(path: Path) -> Path | None:
    """Return the first part of a path that denies access to other users; None if there is none.

    Other users need the execute permission on each directory and the read permission on the file.
    """
    # The unit binds a file in a hidden directory into its sandbox, so that its parents do not matter.
    steps = [path] if bound_paths((path,)) else [*reversed(path.parents), path]
    for step in steps:
        needed = stat.S_IROTH if step == path else stat.S_IXOTH
        if step.exists() and not step.stat().st_mode & needed:
            return step
    return None


def check_key_permissions(context: DoctorContext) -> Iterator[CheckResult]:
    """Yield a warning for each private key named in `web.config_file` that every user can read."""
    path = context.config.web_file
    if path is None:
        yield skipped(CheckId.KEY_PERMISSIONS, "no web.config_file")
        return
    try:
        files = load_web_config_file(path).files
    except ConfigError as error:
        yield skipped(CheckId.KEY_PERMISSIONS, error.problems[0])
        return
    keys = [file for file in files if "PRIVATE KEY-----" in file.read_text()]
    exposed = [file for file in keys if file.stat().st_mode & stat.S_IROTH]
    for file in exposed:
        message = f"{file} holds a private key and is readable for every user"
        yield warning(CheckId.KEY_PERMISSIONS, message, f"run `chmod o= {file}`")
    if not exposed:
        yield ok(CheckId.KEY_PERMISSIONS, f"{len(keys)} private keys, none readable for every user")


def check_secret_permissions(context: DoctorContext) -> Iterator[CheckResult]:
    """Yield a warning for each secret of a notification channel whose file is missing, or readable for every user."""
    channels = context.config.notify.channels
    directories = secret_directories(context.config.directory)
    files = [(name, path) for name, channel in channels for path in Secrets(channel, directories).files]
    path = context.config.path
    if path is not None:
        files += [(name, path) for name, channel in channels if channel.has_plain_secret]
    exposed = False
    for name, path in files:
        finding = _secret_problem(path)
        if finding is not None:
            exposed = True
            yield warning(CheckId.SECRET_PERMISSIONS, *finding, subject=name)
    if not channels:
        yield skipped(CheckId.SECRET_PERMISSIONS, "no notification channel")
    elif not exposed:
        yield ok(CheckId.SECRET_PERMISSIONS, f"{len(files)} secret files, none readable for every user")


def _secret_problem(path: Path) -> tuple[str, str] | None:
    """Return the problem of a secret file and its fix; None if there is none."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"{path}: {error.strerror}", "create it, or correct the key that names it"
    if not mode & stat.S_IROTH:
        return None
    fix = f"run `chmod o= {path}`; the service gets a secret by LoadCredential= (docs/how-to/notifications.md)"
    return f"{path} holds a secret and is readable for every user", fix


def check_write_access(context: DoctorContext) -> Iterator[CheckResult]:
    """Yield a failure for each file or directory of this installation that every user can write.

    A file or directory that another group can write is a warning. The directories above count as well: whoever can
    write one can replace what is in it.
    """
    files = _installed_files(context)
    directories = {parent for file in files for parent in (*file.parents, *file.resolve().parents)}
    findings = ((path, _other_writers(path)) for path in sorted({*files, *directories}))
    exposed = [(path, *finding) for path, finding in findings if finding is not None]
    for path, writers, fix in exposed:
        result = failed if writers == EVERY_USER else warning
        yield result(CheckId.WRITE_ACCESS, f"{path} is writable for {writers}", f"run `{fix} {path}`")
    if not exposed:
        yield ok(CheckId.WRITE_ACCESS, f"no other user can write {len(files)} files and their directories")


def _installed_files(context: DoctorContext) -> set[Path]:
    """Return the database files, the configuration, and web.config_file with the files that it names."""
    files = set()
    if context.database is not None:
        files = {context.database, *context.database.parent.glob(f"{context.database.name}*")}
    if context.config.path is not None:
        files.add(context.config.path)
    if context.config.web_file is not None:
        reader = FileReader(context.config.web_file.parent)
        with suppress(ConfigError):
            load_web_config_file(context.config.web_file, reader)
        files |= reader.versions.keys()
    return {file.absolute() for file in files}


def _other_writers(path: Path) -> tuple[str, str] | None:
    """Return the users other than root and the owner who can write a path, and the command that denies it.

    Returns:
        None if there is no such user, or the path cannot be read. A directory such as /tmp in which users can delete
        only their own files (sticky bit) counts as closed.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    if stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX:
        return None
    if status.st_mode & stat.S_IWOTH:
        return EVERY_USER, "chmod o-w"
    if status.st_mode & stat.S_IWGRP and status.st_gid not in {0, _primary_group(status.st_uid)}:
        return f"group {status.st_gid}", "chmod g-w"
    return None


def _primary_group(user: int) -> int | None:
    try:
        return pwd.getpwuid(user).pw_gid
    except KeyError:
        return None


def user_name(user: int) -> str:
    """Return the name and UID of a user as text; only the UID if no such user exists."""
    try:
        return f"{pwd.getpwuid(user).pw_name} ({user})"
    except KeyError:
        return f"user {user}"

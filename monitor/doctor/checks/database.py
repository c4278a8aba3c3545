"""Checks of the database: readable, undamaged, not locked."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.doctor.context import DoctorContext
from monitor.doctor.fixes import start_daemon
from monitor.doctor.results import failed, ok, skipped, warning
from monitor.documents.doctor import CheckId, CheckResult
from monitor.system.formatting import format_bytes, format_time
from storage import StorageError
from storage.errors import StorageErrorKind
from storage.inspection import DatabaseFiles
from storage.inspection import check_integrity as run_integrity_check
from storage.recovery.quarantine import COMPANIONS, INFIX
from storage.row_check import check_rows as count_rows

CHECK_SECONDS = 1.0
"""Time limit of the integrity check in seconds; a complete check reads the whole file."""

LARGE_LOG_BYTES = 64 * 2**20
"""Size of the write-ahead log in bytes above which the check warns: four times `journal_size_limit`."""

RESTORE = "stop the daemon, then restore a backup, or move the file away: the daemon creates a new one"

REFUSAL_FIXES = {
    StorageErrorKind.SCHEMA_TOO_NEW: "set another storage.url, or install the release that wrote it",
    StorageErrorKind.FOREIGN_DATABASE: "set another storage.url",
    StorageErrorKind.SERVER_UNAVAILABLE: "start the server, or correct storage.url, the password file or pg_hba.conf",
    StorageErrorKind.ACCESS_DENIED: "grant the role of storage.url its schema: see the guide of PostgreSQL",
    StorageErrorKind.READ_ONLY_SERVER: "name the primary server, or add target_session_attrs=read-write",
    StorageErrorKind.SERVER_OVERLOADED: "raise max_connections of the server",
    StorageErrorKind.TIMEOUT: "find out what slows the server down: pg_stat_activity",
    StorageErrorKind.DRIVER_MISSING: "pip install 'monitor-early-warning[postgresql]'",
    StorageErrorKind.CANNOT_OPEN: "run this as root or as the daemon's user",
    StorageErrorKind.NO_ACCESS: "run this as root or as the daemon's user",
    StorageErrorKind.FILE_SYSTEM: "run this as root or as the daemon's user",
}
"""Fix for each kind of error that needs no restored backup, except MISSING and BUSY (see `assess_refusal`)."""


def check_database(context: DoctorContext) -> Iterator[CheckResult]:
    """Check that the database exists, can be read, and has the schema of this release."""
    if context.needs_migration:
        message = f"{context.name}: the schema belongs to an earlier release"
        fix = "back the database up; the next start of the daemon migrates it"
        yield warning(CheckId.DATABASE, message, fix)
    elif context.records is not None:
        overview = context.records.overview
        message = f"{context.name}, {format_bytes(overview.storage_bytes)}, schema current"
        yield ok(CheckId.DATABASE, f"{message}; samples since {format_time(overview.oldest_sample_at)}")
    elif context.records_error is not None:
        yield assess_refusal(context.records_error, context.name, running=bool(context.daemon.running))


def assess_refusal(error: StorageError, name: str, *, running: bool) -> CheckResult:
    """Return a warning if the database is missing and no daemon runs; a failure for any other error.

    Args:
        error: reason why the database could not be read.
        name: path of the database.
        running: True if a daemon is known to run on the database.
    """
    if error.kind is StorageErrorKind.MISSING:
        if running:
            message = f"{error}, although a daemon runs on it"
            return failed(CheckId.DATABASE, message, "it was deleted: restart the daemon")
        return warning(CheckId.DATABASE, str(error), start_daemon())
    if error.kind is StorageErrorKind.BUSY:
        return failed(CheckId.DATABASE, str(error), f"find the process that has it open: `fuser -v {name}`")
    return failed(CheckId.DATABASE, str(error), REFUSAL_FIXES.get(error.kind, RESTORE))


def check_integrity(context: DoctorContext) -> Iterator[CheckResult]:
    """Look for damage with `PRAGMA quick_check`; no damage found within CHECK_SECONDS is ok."""
    if context.database is None or context.files is None:
        yield skipped(CheckId.INTEGRITY, str(context.files_error))
        return
    try:
        integrity = run_integrity_check(context.database, CHECK_SECONDS)
    except StorageError as error:
        if context.records is None:
            # The check of the database itself reports this error.
            yield skipped(CheckId.INTEGRITY, str(error))
        else:
            yield failed(CheckId.INTEGRITY, str(error), RESTORE)
        return
    if integrity.problem:
        yield failed(CheckId.INTEGRITY, f"damaged: {integrity.problem[:200]}", RESTORE)
    elif integrity.completed:
        yield ok(CheckId.INTEGRITY, "no damage found")
    else:
        full_check = f"sqlite3 -readonly {context.database} 'PRAGMA integrity_check'"
        yield ok(
            CheckId.INTEGRITY, f"no damage found within {CHECK_SECONDS:g} s; for a full check run `{full_check}`"
        )


def check_rows(context: DoctorContext) -> Iterator[CheckResult]:
    """Count the rows with values of unexpected types; none found within CHECK_SECONDS is ok."""
    if context.database is None or context.records is None:
        reason = str(context.files_error) if context.server else "the database could not be read"
        yield skipped(CheckId.ROWS, reason)
        return
    check = count_rows(context.database, CHECK_SECONDS)
    if check.damaged:
        counts = ", ".join(f"{count} in {table}" for table, count in check.damaged.items())
        fix = "nothing needs it: each damaged row is left out; look for the cause, such as a failing disk"
        yield warning(CheckId.ROWS, f"damaged rows: {counts}", fix)
    else:
        within = "" if check.completed else f" within {CHECK_SECONDS:g} s"
        yield ok(CheckId.ROWS, f"no damaged row found{within}")


def check_files(context: DoctorContext) -> Iterator[CheckResult]:
    """Check the write-ahead log and the write lock, and look for unknown files next to the database."""
    if context.files is None:
        yield skipped(CheckId.WRITE_AHEAD_LOG, str(context.files_error))
        return
    yield assess_write_ahead_log(context.files, str(context.database))
    yield assess_write_lock(context.files.writer)
    damaged = tuple(name for name in context.files.unknown_files if INFIX in name)
    databases = [name for name in damaged if not name.endswith(COMPANIONS[1:])]
    if databases and context.database is not None:
        fix = f"`monitor doctor --salvage {context.database.with_name(databases[-1])}`, then move the files away"
        yield warning(CheckId.QUARANTINED_FILES, ", ".join(databases), fix)
    unknown = sorted({*context.files.unknown_files} - {*damaged})
    if unknown:
        fix = "delete copies of the database, once they are saved elsewhere"
        yield warning(CheckId.UNKNOWN_FILES, ", ".join(unknown), fix)
    else:
        yield ok(CheckId.UNKNOWN_FILES, "none next to the database")


def assess_write_ahead_log(files: DatabaseFiles, name: str) -> CheckResult:
    """Check the header of the database file, its journal mode and the size of the write-ahead log.

    An invalid header is a failure. A journal mode other than WAL, or a log above LARGE_LOG_BYTES, is a warning.

    Args:
        files: state of the database files.
        name: path of the database.
    """
    size = f"{format_bytes(files.wal_size)} not yet checkpointed"
    if not files.valid_header:
        return failed(CheckId.WRITE_AHEAD_LOG, "the file has no SQLite header", RESTORE)
    if not files.wal_mode:
        fix = "restart the daemon, which turns the write-ahead log on"
        return warning(CheckId.WRITE_AHEAD_LOG, "the journal mode is not WAL", fix)
    if files.wal_size > LARGE_LOG_BYTES:
        return warning(CheckId.WRITE_AHEAD_LOG, size, f"end long-running readers of the database: `fuser -v {name}`")
    return ok(CheckId.WRITE_AHEAD_LOG, size)


def assess_write_lock(pid: int | None) -> CheckResult:
    """Return a failure if a process holds the write lock of the database, otherwise ok.

    Args:
        pid: ID of the process that held the lock as long as `inspect_files` waited; None if the lock was free.
    """
    if pid is None:
        return ok(CheckId.WRITE_LOCK, "free")
    fix = f"inspect the process and end it: `ps -o pid,lstart,cmd -p {pid}`; samples wait in memory until then"
    return failed(CheckId.WRITE_LOCK, f"held by process {pid}", fix)

"""Whether the database can be used, is whole, and by whom it is used."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.doctor.context import Evidence
from monitor.doctor.results import Result, failed, ok, skipped, warning
from monitor.system.formatting import format_time
from storage import StorageError
from storage.inspection import Outside, damage

CHECK_SECONDS = 1.0
"""After which the check for damage is ended; it reads the whole file."""

LARGE_LOG = 64 * 2**20
"""Bytes; it is cut to a quarter of that whenever it has been written back."""

RESTORE = "stop the daemon, move the file aside and restore a backup, or let the daemon begin a new one"


def opened(evidence: Evidence) -> Iterator[Result]:
    """Whether it is there, can be read, and has the schema of this release."""
    if evidence.stored is None and evidence.behind:
        yield _behind(evidence)
    elif evidence.stored is None:
        yield judge_refusal(evidence.unread, running=bool(evidence.daemon.running))
    elif evidence.behind:
        yield _behind(evidence)
    else:
        overview = evidence.stored.overview
        told = f"{evidence.database}, {overview.storage_bytes / 2**20:.1f} MiB, schema current"
        yield ok("database", f"{told}; samples since {format_time(overview.oldest_sample_at)}")


def _behind(evidence: Evidence) -> Result:
    found = f"{evidence.database}: its schema is of an earlier release"
    return warning("database", found, "the next start of the daemon brings it up to date; back it up before")


def judge_refusal(error: str, *, running: bool) -> Result:
    """What it means that the database could not be read."""
    if "no database there" in error:
        mend = "start the daemon, which makes it: monitor run, or systemctl start monitor"
        if running:
            return failed("database", f"{error}, though a daemon runs on it", "it was deleted: restart the daemon")
        return warning("database", error, mend)
    if "schema is revision" in error or "not a database of monitor" in error:
        return failed("database", error, "name another one in storage.url, or install the release that wrote it")
    if "locked" in error:
        return failed("database", error, f"see which process has it open: fuser -v {error.partition(':')[0]}")
    if "denied" in error or "unable to open" in error:
        return failed("database", error, "run this as root, or as the user that the daemon runs as")
    return failed("database", error, RESTORE)


def integrity(evidence: Evidence) -> Iterator[Result]:
    """What SQLite's own check finds within a second."""
    if evidence.database is None or evidence.outside is None:
        yield skipped("integrity", evidence.unseen)
        return
    try:
        found, done = damage(evidence.database, CHECK_SECONDS)
    except StorageError as error:
        # What kept it from being read at all is told of the database itself.
        unread = evidence.stored is None
        yield skipped("integrity", str(error)) if unread else failed("integrity", str(error), RESTORE)
        return
    if found:
        yield failed("integrity", f"damaged: {found[:200]}", RESTORE)
    elif done:
        yield ok("integrity", "no damage found")
    else:
        whole = f"sqlite3 -readonly {evidence.database} 'PRAGMA integrity_check'"
        yield ok("integrity", f"no damage found in {CHECK_SECONDS:g} s of looking; all of it: {whole}")


def files(evidence: Evidence) -> Iterator[Result]:
    """How changes are kept, who is writing, and what else lies there."""
    if evidence.outside is None:
        yield skipped("log", evidence.unseen)
        return
    yield judge_log(evidence.outside, str(evidence.database))
    yield judge_writer(evidence.outside.writer)
    if evidence.outside.strangers:
        names = ", ".join(evidence.outside.strangers)
        mend = (
            "see what they hold; a broken database that was moved aside, or a copy, may go once it is saved elsewhere"
        )
        yield warning("files beside", names, mend)
    else:
        yield ok("files beside", "none but its own")


def judge_log(seen: Outside, name: str) -> Result:
    """Whether changes go to a write-ahead log that is written back."""
    told = f"{seen.log_size / 2**20:.1f} MiB of changes not yet written back"
    if not seen.sound:
        return failed("log", "the file does not begin as a database of SQLite does", RESTORE)
    if not seen.wal:
        return warning("log", "changes do not go to a write-ahead log (WAL)", "the daemon turns it on: restart it")
    if seen.log_size > LARGE_LOG:
        return warning("log", told, f"end what reads the database for long: fuser -v {name}")
    return ok("log", f"write-ahead (WAL), {told}")


def judge_writer(process: int | None) -> Result:
    """Whether somebody keeps everyone else from writing."""
    if process is None:
        return ok("write lock", "nobody holds it")
    mend = f"see what it does and end it: ps -o pid,lstart,cmd -p {process}; samples wait in memory meanwhile"
    return failed("write lock", f"process {process} goes on holding it", mend)

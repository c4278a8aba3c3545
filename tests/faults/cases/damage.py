"""Damage of the database file and of its write-ahead log."""

import json
import os
import shutil
import sqlite3
import time
from contextlib import closing

from tests.faults.injectors import damage
from tests.faults.injectors.trained import ROWS, SETTINGS, execute, trained
from tests.faults.scenarios import assert_replaces, assert_restarts
from tests.faults.table import case

QUARANTINES = "file moved aside with a time stamp, counted, unchanged; a new history starts"
REPLACES = "found, moved aside where a file is left, counted; what is stored afterwards survives a restart"
SALVAGES = "the model serves again from the file moved aside; `monitor doctor --salvage FILE` copies its samples"
IDENTITY_BOUND = 75.0
"""Seconds within which another file in place of the open one is found: it is checked each minute."""


def used(lab):
    """Return a stopped daemon with a database of some pages."""
    daemon = lab.daemon().start()
    daemon.wait_stored(5)
    daemon.assert_stops()
    # The reader that counted the samples leaves a write-ahead log, and the last writer deletes it.
    execute(daemon.database, "PRAGMA wal_checkpoint(TRUNCATE)")
    return daemon


def assert_quarantined_at_start(lab, change):
    """Damage the database of a stopped daemon; assert that it starts with a new one and keeps the damaged one."""
    daemon = used(lab)
    change(daemon.database)
    expected = daemon.database.read_bytes() if daemon.database.is_file() else None
    daemon.start()
    assert daemon.healthy()
    assert [path.read_bytes() if path.is_file() else None for path in daemon.quarantined_databases()] == [expected]
    assert_restarts(daemon)


@case("garbage in the header, at start", "100 random bytes at the start of the file", 6, QUARANTINES)
def header_at_start(lab):
    assert_quarantined_at_start(lab, damage.header)


@case("file of zeros, at start", "every byte set to zero", 6, QUARANTINES)
def zeros_at_start(lab):
    assert_quarantined_at_start(lab, damage.zero)


@case("truncated file, at start", "cut in the middle of a page at half of its size", 6, QUARANTINES)
def truncated_at_start(lab):
    assert_quarantined_at_start(lab, damage.truncate)


@case("random bytes in the first tables, at start", "the schema page overwritten", 6, QUARANTINES)
def schema_page_at_start(lab):
    assert_quarantined_at_start(lab, lambda path: damage.page(path, 0))


@case(
    "directory in place of the file, at start",
    "file replaced by an empty directory, later removed",
    6,
    "samples wait in memory and are stored once it is removed",
)
def directory_at_start(lab):
    daemon = used(lab)
    damage.directory_instead(daemon.database)
    daemon.forget_acknowledged()
    return assert_waits_for_removal(daemon, daemon.database)


def assert_waits_for_removal(daemon, directory):
    """Start a daemon with a directory in the place of a file, and remove it; return the recovery in seconds."""
    daemon.start(wait=False)
    daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 5)
    assert daemon.healthy()
    directory.rmdir()
    recovery = daemon.wait_stored(1)
    daemon.assert_stops()
    return recovery


@case("file of text, at start", "file replaced by a text file", 6, QUARANTINES)
def text_at_start(lab):
    assert_quarantined_at_start(lab, lambda path: path.write_text("not a database\n" * 300))


@case(
    "random page overwritten, at start",
    "each of ten pages in turn",
    6,
    "starts and stores in every case; a damaged file that cannot be used is moved aside",
)
def pages_at_start(lab):
    daemon = used(lab)
    good = daemon.database.read_bytes()
    pages = len(good) // damage.PAGE
    for number in range(1, pages, max(1, pages // 10)):
        for path in daemon.files():
            path.unlink()
        daemon.database.write_bytes(good)
        daemon.database.chmod(0o600)
        damage.page(daemon.database, number)
        daemon.start(wait=False)
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") <= 1 and daemon.metric("samples_total") > 3)
        assert daemon.healthy()
        assert daemon.stop() == 0


@case("empty file, at start", "file truncated to nothing", 6, "a new history starts")
def empty_at_start(lab):
    daemon = used(lab)
    damage.truncate(daemon.database, 0)
    daemon.start()
    assert daemon.healthy()
    assert_restarts(daemon)


@case("write-ahead log of garbage, at start", "-wal replaced by random bytes", 6, "starts; no stored sample lost")
def garbage_wal_at_start(lab):
    daemon = used(lab)
    daemon.wal.write_bytes(os.urandom(40_000))
    daemon.start()
    assert daemon.healthy()
    daemon.assert_stops()


@case(
    "directory in place of the write-ahead log, at start",
    "-wal as a directory, later removed",
    6,
    "samples wait in memory and are stored once it is removed",
)
def directory_as_wal_at_start(lab):
    daemon = used(lab)
    daemon.wal.mkdir()
    return assert_waits_for_removal(daemon, daemon.wal)


@case("tables missing, at start", "DROP TABLE samples", 6, "starts and stores")
def table_missing_at_start(lab):
    daemon = used(lab)
    with closing(sqlite3.connect(daemon.database)) as connection:
        connection.execute("DROP TABLE samples")
    daemon.start()
    assert daemon.healthy()
    assert_restarts(daemon)


@case(
    "garbage in the header, while running",
    "100 random bytes at the start of the file",
    4,
    REPLACES,
    bound=IDENTITY_BOUND,
)
def header_while_running(lab):
    daemon = lab.daemon().start()
    return assert_detects(daemon, lambda: damage.header(daemon.database))


@case("file of zeros, while running", "every byte set to zero", 4, REPLACES, bound=IDENTITY_BOUND)
def zeros_while_running(lab):
    daemon = lab.daemon().start()
    return assert_replaces(daemon, lambda: damage.zero(daemon.database))


@case("truncated file, while running", "cut to a quarter of its size", 4, REPLACES, bound=IDENTITY_BOUND)
def truncated_while_running(lab):
    daemon = lab.daemon().start()
    return assert_replaces(daemon, lambda: damage.truncate(daemon.database, 0.25))


@case("write-ahead log truncated, while running", "-wal cut to zero bytes", 4, REPLACES, bound=IDENTITY_BOUND)
def wal_truncated_while_running(lab):
    daemon = lab.daemon().start()
    return assert_detects(daemon, lambda: damage.truncate(daemon.wal, 0))


@case("write-ahead log deleted, while running", "unlink of -wal", 4, REPLACES, bound=IDENTITY_BOUND)
def wal_deleted_while_running(lab):
    daemon = lab.daemon().start()
    return assert_detects(daemon, daemon.wal.unlink)


@case("file deleted, while running", "unlink of the database", 4, REPLACES, bound=IDENTITY_BOUND)
def deleted_while_running(lab):
    daemon = lab.daemon().start()
    return assert_detects(daemon, daemon.database.unlink)


@case("file moved, while running", "rename of the database", 4, REPLACES, bound=IDENTITY_BOUND)
def moved_while_running(lab):
    daemon = lab.daemon().start()
    return assert_detects(daemon, lambda: daemon.database.rename(daemon.directory / "elsewhere"))


@case("file replaced, while running", "copy of the database renamed over it", 4, REPLACES, bound=IDENTITY_BOUND)
def replaced_while_running(lab):
    daemon = lab.daemon().start()

    def replace():
        shutil.copy(daemon.database, daemon.directory / "copy")
        (daemon.directory / "copy").rename(daemon.database)

    return assert_detects(daemon, replace)


@case("directory of the database deleted", "rm -r, while running", 4, REPLACES, bound=IDENTITY_BOUND)
def directory_deleted(lab):
    (lab.directory / "state").mkdir()
    daemon = lab.daemon(lab.directory / "state").start()
    return assert_detects(daemon, lambda: shutil.rmtree(daemon.state))


def assert_detects(daemon, change):
    """Change the files of a running daemon; return the seconds until what it stores survives a restart."""
    started = daemon.metric("last_sample_timestamp_seconds")
    change()
    recovery = daemon.wait(lambda: any(at > started for at in daemon.sample_times_or_none()), 120)
    daemon.wait_stored(1)
    assert daemon.healthy()
    assert_restarts(daemon)
    return recovery


def with_model(lab):
    """Return a running daemon on a database with a fitted model, which serves."""
    daemon = lab.daemon(interval=1)
    daemon.set_training(SETTINGS)
    trained(daemon).start()
    daemon.wait(lambda: daemon.metric("model_ready") == 1)
    return daemon


def assert_salvages(daemon, started):
    """Assert that the model of the file moved aside serves; copy its samples; return the recovery in seconds."""
    daemon.wait(daemon.quarantined_databases, 120)
    daemon.wait(lambda: "model salvaged" in daemon.log() and daemon.metric("model_ready") == 1, 60)
    recovery = time.monotonic() - started
    (moved,) = daemon.quarantined_databases()
    content = moved.read_bytes()
    assert daemon.healthy()
    daemon.wait(lambda: (daemon.status().get("model") or {}).get("pretrained") is False)
    completed = daemon.command("doctor", "--salvage", str(moved), "--json")
    assert completed.returncode == 0, completed.stderr
    assert json.loads(completed.stdout)["samples"]["recovered"] > ROWS // 2
    assert moved.read_bytes() == content
    daemon.wait(lambda: execute(daemon.database, "SELECT count(*) FROM predictions")[0][0] > 0)
    assert_restarts(daemon)
    return recovery


@case(
    "fitted model in a damaged database, while running",
    "a copy with 100 random bytes at its start renamed over the file: SQLite would repair the open one",
    4,
    SALVAGES,
    bound=IDENTITY_BOUND,
)
def model_salvaged_while_running(lab):
    daemon = with_model(lab)
    execute(daemon.database, "PRAGMA wal_checkpoint(TRUNCATE)")
    damaged = shutil.copy(daemon.database, daemon.directory / "copy.db")
    damage.header(damaged)
    started = time.monotonic()
    damaged.replace(daemon.database)
    return assert_salvages(daemon, started)


@case(
    "fitted model in a damaged database, at start", "the schema page overwritten", 4, SALVAGES, bound=IDENTITY_BOUND
)
def model_salvaged_at_start(lab):
    daemon = with_model(lab)
    daemon.assert_stops()
    execute(daemon.database, "PRAGMA wal_checkpoint(TRUNCATE)")
    damage.page(daemon.database, 0)
    started = time.monotonic()
    daemon.start()
    return assert_salvages(daemon, started)

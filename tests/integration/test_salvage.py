"""Tests of `monitor doctor --salvage` on damaged databases, with and without a daemon."""

import json
import os
import shutil
import sqlite3
from contextlib import closing

import pytest

from model.forecast.serialization import dumps
from monitor.config.loader import load_config
from monitor.stores import open_stores
from monitor.training.bootstrap_model import pretrained_predictor
from monitor.training.report import TrainingReport
from storage import open_database
from storage.locks import ExclusiveLock

pytestmark = pytest.mark.integration

ROWS = 2000
PAGE = 4096


@pytest.fixture
def damaged(admin):
    """A database of two pages of models and many of samples, which was moved aside."""
    admin.fill(rows=ROWS)
    config = load_config(admin.config)
    with open_stores(admin.url) as stores:
        blob = dumps(pretrained_predictor(config, config.sampling.interval))
        stores.registry.promote(stores.registry.register(blob, TrainingReport(0.0, 0.0, 0).to_json(), 100.0), 100.0)
    path = admin.directory / "monitor.db.damaged-20260301T120000Z"
    admin.database.rename(path)
    return path


@pytest.fixture
def salvage(admin, damaged):
    """Return a function that salvages the damaged file, and checks that the command does not change it."""

    def run():
        before = damaged.read_bytes()
        code, out, err = admin("--log-level", "error", "doctor", "--salvage", str(damaged), "--json")
        assert code == 0
        assert "Traceback" not in err
        assert damaged.read_bytes() == before
        return json.loads(out)

    return run


def write(path, offset, content):
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def times(url):
    with open_stores(url) as stores:
        return stores.samples.count()


def test_salvage_copies_an_undamaged_file_once(admin, salvage):
    document = salvage()
    assert document["samples"] == {"recovered": ROWS, "skipped": 0, "damaged": 0}
    assert document["models"] == {"recovered": 1, "skipped": 0, "damaged": 0}
    assert document["unreadable_pages"] == 0
    assert salvage()["samples"] == {"recovered": 0, "skipped": ROWS, "damaged": 0}
    assert times(admin.url) == ROWS


@pytest.mark.parametrize("content", [bytes(100), os.urandom(PAGE)], ids=["zeroed header", "random page"])
def test_salvage_reads_a_file_with_a_damaged_start(damaged, salvage, content):
    write(damaged, 0, content)
    document = salvage()
    assert document["samples"]["recovered"] == ROWS
    assert document["models"]["recovered"] == 1


def test_salvage_reads_what_is_left_of_a_truncated_file(damaged, salvage):
    os.truncate(damaged, damaged.stat().st_size * 3 // 10)
    document = salvage()
    assert 0 < document["samples"]["recovered"] < ROWS
    assert document["unreadable_pages"] > 0


def test_salvage_loses_the_rows_of_each_damaged_page(damaged, salvage):
    pages = damaged.stat().st_size // PAGE
    for number in range(30, pages, 25):
        write(damaged, number * PAGE, os.urandom(PAGE))
    document = salvage()
    assert ROWS - 200 * (pages // 25 + 1) < document["samples"]["recovered"] <= ROWS


@pytest.mark.parametrize("has_log", [True, False])
def test_salvage_reads_the_log_next_to_the_file(admin, damaged, salvage, has_log):
    live = admin.directory / "live.db"
    shutil.copy(damaged, live)
    with closing(sqlite3.connect(live)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("DELETE FROM samples WHERE at NOT IN (SELECT at FROM samples ORDER BY at LIMIT 10)")
        connection.commit()
        shutil.copy(live, damaged)
        if has_log:
            shutil.copy(f"{live}-wal", f"{damaged}-wal")
        assert salvage()["samples"]["recovered"] == (10 if has_log else ROWS)


def test_salvage_writes_next_to_a_running_daemon(admin, salvage):
    with open_database(admin.url) as database, database.lock("daemon"):
        assert salvage()["samples"]["recovered"] == ROWS
    assert isinstance(database.lock("daemon"), ExclusiveLock)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "the file does not exist"),
        (b"", "no readable row of a database of monitor"),
        (b"not a database\n" * 300, "no readable row of a database of monitor"),
    ],
)
def test_salvage_refuses_a_file_in_one_sentence(admin, content, message):
    path = admin.directory / "x"
    if content is not None:
        path.write_bytes(content)
    code, out, err = admin("doctor", "--salvage", str(path))
    assert (code, out) == (1, "")
    assert err.splitlines() == [f"monitor: {path}: {message}"]
    assert content is not None or not admin.database.exists()


def test_salvage_refuses_a_newer_schema(admin, damaged):
    with closing(sqlite3.connect(damaged)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    code, _, err = admin("doctor", "--salvage", str(damaged))
    assert code == 1
    assert "its schema is revision 9999" in err
    assert len(err.splitlines()) == 1


def test_salvage_refuses_the_current_database(admin):
    admin.fill(rows=10)
    code, _, err = admin("doctor", "--salvage", str(admin.database))
    assert code == 1
    assert "is the current database" in err

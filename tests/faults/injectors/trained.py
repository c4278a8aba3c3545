"""Database with a trained model: made once for all workers, copied for each case."""

import csv
import fcntl
import math
import os
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from tests.faults.daemon import Daemon

ROWS = 4000
SETTINGS = """
[training]
layers = [8]
epochs = 3
min_history = "10m"
interval = "365d"
"""


def trained(daemon):
    """Put a database with two promoted models in the place of a daemon's own, which has not started."""
    daemon.database.write_bytes(content())
    daemon.database.chmod(0o600)
    return daemon


@cache
def content():
    """Return the content of the database; the first of all workers trains it."""
    # Workers of pytest-xdist share the parent process, and the file that is named after it.
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    path = Path(tempfile.gettempdir()) / f"monitor-faults-trained-{session}.db"
    with Path(f"{path}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            with tempfile.TemporaryDirectory() as directory:
                shutil.move(train(Path(directory)), path)
    return path.read_bytes()


def train(directory):
    """Import a history, train twice, and return the path of the database."""
    daemon = Daemon(directory, interval=1)
    daemon.set_training(SETTINGS)
    trace = directory / "trace.csv"
    now = math.floor(time.time())
    with trace.open("w") as file:
        writer = csv.writer(file)
        writer.writerow(["timestamp", "cpu_usage", "memory_usage"])
        for at in range(now - ROWS, now):
            busy = at % 100 < 20
            writer.writerow([at, 0.3 + 0.65 * busy + 0.01 * (at % 3), 0.5 + 0.1 * math.sin(at / 300)])
    for arguments in (("import", str(trace)), ("retrain", "--force"), ("retrain", "--force")):
        completed = daemon.command(*arguments, timeout=300)
        if completed.returncode != 0:
            pytest.fail(f"monitor {arguments[0]}: {completed.stderr}")
    execute(daemon.database, "PRAGMA wal_checkpoint(TRUNCATE)")
    return daemon.database


def execute(database, statement, *parameters):
    """Execute a statement in a database, and return its rows."""
    with closing(sqlite3.connect(database, timeout=10)) as connection, connection:
        return connection.execute(statement, parameters).fetchall()

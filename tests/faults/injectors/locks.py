"""Locks of the database that another process holds."""

import subprocess
import sys
from contextlib import contextmanager

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
for statement in sys.argv[2:]:
    connection.execute(statement).fetchall()
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holding(database, *statements):
    """Execute statements in another process, and keep its transaction open for a `with` block."""
    command = [sys.executable, "-c", HOLD, str(database), *statements]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "held\n"
            yield
        finally:
            process.kill()


def write_lock(database):
    """Hold the write lock for a `with` block."""
    return holding(database, "BEGIN IMMEDIATE")


def exclusive_lock(database):
    """Lock the whole database for a `with` block; a reader of a WAL database still reads."""
    return holding(database, "BEGIN EXCLUSIVE")


def pinned_reader(database):
    """Hold a read transaction, which keeps the write-ahead log from being reset, for a `with` block."""
    return holding(database, "BEGIN", "SELECT count(*) FROM samples")

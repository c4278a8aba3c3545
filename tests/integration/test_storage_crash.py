"""What is left after a process was killed outright."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage import ExclusiveLock, LockHeldError, SampleRepository, StorageError, is_locked, open_database

pytestmark = pytest.mark.integration

WRITE = """
import itertools, sys
from storage import Sample, SampleRepository, open_database
store = SampleRepository(open_database(sys.argv[1]))
for at in itertools.count(1.0):
    print(store.append(Sample(at, cpu_usage=at)), flush=True)
"""

HOLD = """
import sys, time
from pathlib import Path
from storage import ExclusiveLock
with ExclusiveLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def child(script: str, argument: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs the script, killed outright at the end if not before."""
    with subprocess.Popen([sys.executable, "-c", script, argument], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_every_acknowledged_sample_survives_a_kill(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    with child(WRITE, url) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline() for _ in range(200)]
        process.send_signal(signal.SIGKILL)
        acknowledged += process.stdout.read().splitlines(keepends=True)
    complete = [float(line) for line in acknowledged if line.endswith("\n")]
    with open_database(url) as database:
        stored = SampleRepository(database).between(0, 1e9, ["cpu_usage"]).tolist()
    assert stored[: len(complete)] == [[at, at] for at in complete]
    assert len(stored) - len(complete) in (0, 1), "at most the one whose acknowledgement was cut off"


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with child(HOLD, str(path)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert is_locked(path)
        with pytest.raises(LockHeldError, match=f"x.lock is held by process {holder.pid}$"), ExclusiveLock(path):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert not is_locked(path)
        with ExclusiveLock(path):
            assert path.read_text() == f"{os.getpid()}\n"


def test_a_lock_is_free_again_after_its_block(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    assert not is_locked(path)
    assert not path.exists()
    for _ in range(2):
        with ExclusiveLock(path):
            assert is_locked(path)
        assert not is_locked(path)


def test_one_process_cannot_take_a_lock_twice(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with ExclusiveLock(path), pytest.raises(LockHeldError, match=f"process {os.getpid()}"), ExclusiveLock(path):
        pass


def test_waiting_for_a_lock_ends_in_time(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    started = time.monotonic()
    with ExclusiveLock(path), pytest.raises(LockHeldError), ExclusiveLock(path, wait=0.3):
        pass
    assert 0.3 <= time.monotonic() - started < 2


def test_the_locks_of_a_database_are_beside_it_and_apart(tmp_path: Path) -> None:
    with open_database(f"sqlite:///{tmp_path}/x.db") as database:
        assert database.lock_path("retrain") == tmp_path / "x.db.retrain.lock"
        with database.lock("daemon"), database.lock("retrain"):
            assert is_locked(tmp_path / "x.db.daemon.lock")


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"missing/x\.lock: "), ExclusiveLock(tmp_path / "missing" / "x.lock"):
        pass

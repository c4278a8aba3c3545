"""State after a process was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage import ExclusiveLock, LockHeldError, SampleRepository, is_locked, open_database

pytestmark = pytest.mark.integration

WRITE = """
import itertools, sys
from storage import Sample, SampleRepository, open_database
repository = SampleRepository(open_database(sys.argv[1]))
for at in itertools.count(1.0):
    print(repository.append(Sample(at, cpu_usage=at)), flush=True)
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
    """Run a script in a process that is killed at the end of the block."""
    with subprocess.Popen([sys.executable, "-c", script, argument], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_acknowledged_samples_survive_a_kill(tmp_path: Path) -> None:
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
    # The acknowledgement of the last sample may be cut off.
    assert len(stored) - len(complete) in (0, 1)


def test_lock_is_released_by_a_kill_of_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with child(HOLD, str(path)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert is_locked(path)
        with pytest.raises(LockHeldError, match=f"process {holder.pid}$"), ExclusiveLock(path):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert not is_locked(path)
        with ExclusiveLock(path):
            assert path.read_text() == f"{os.getpid()}\n"

"""Root beside a service: whatever root makes in the service's directory belongs to the service."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage import Sample, SampleRepository, StorageError, open_database
from storage.locks import ExclusiveLock

pytestmark = pytest.mark.integration

SERVICE = 65_534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can make files of another's")

AS_SERVICE = """
import os, sys
from storage import Sample, SampleRepository, open_database
# All that is loaded late is loaded now: this user may not be able to read the interpreter's own files.
open_database(f"sqlite:///{sys.argv[2]}").close()
os.setgroups([]); os.setgid(65534); os.setuid(65534)
with open_database(sys.argv[1]) as database, database.lock("daemon"), database.lock("retrain"):
    SampleRepository(database).append(Sample(2.0))
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir(mode=0o700)
    os.chown(made, SERVICE, SERVICE)
    # pytest keeps its directories to its own user
    for parent in tmp_path.parents:
        if parent == Path(parent.anchor) or parent.stat().st_mode & 0o001:
            break
        parent.chmod(0o711)
    tmp_path.chmod(0o711)
    return made


@needs_root
def test_root_and_the_service_take_turns_on_one_database(directory: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{directory}/monitor.db"
    with open_database(url) as database, database.lock("daemon"), database.lock("retrain"):
        SampleRepository(database).append(Sample(1.0))
        found = {one.name: one.stat() for one in directory.iterdir()}
        assert {"monitor.db", "monitor.db-wal", "monitor.db-shm", "monitor.db.retrain.lock"} <= set(found)
        assert {(one.st_uid, one.st_gid, one.st_mode & 0o777) for one in found.values()} == {
            (SERVICE, SERVICE, 0o600)
        }
    subprocess.run([sys.executable, "-c", AS_SERVICE, url, tmp_path / "other.db"], check=True)
    with open_database(url) as database:
        assert SampleRepository(database).count() == 2


def test_a_lock_is_never_taken_through_a_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    for name, target in (("a.lock", precious), ("b.lock", tmp_path / "absent")):
        (tmp_path / name).symlink_to(target)
        with pytest.raises(StorageError), ExclusiveLock(tmp_path / name):
            pass
    assert precious.read_text() == "kept"
    assert not (tmp_path / "absent").exists()

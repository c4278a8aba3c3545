"""Root and a service that use one database."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from storage import Sample, SampleRepository, open_database

pytestmark = pytest.mark.integration

SERVICE_USER = 65_534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can give files away")

APPEND_AS_SERVICE = """
import os, sys
from storage import Sample, SampleRepository, open_database
# Import everything now: the service user may not be able to read the interpreter's files.
open_database(f"sqlite:///{sys.argv[2]}").close()
os.setgroups([]); os.setgid(65534); os.setuid(65534)
with open_database(sys.argv[1]) as database, database.lock("daemon"), database.lock("retrain"):
    SampleRepository(database).append(Sample(2.0))
"""


@pytest.fixture
def state_directory(tmp_path: Path) -> Path:
    """A directory of the service user."""
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    os.chown(directory, SERVICE_USER, SERVICE_USER)
    # pytest creates its directories for its own user only.
    base = Path(tempfile.gettempdir())
    for parent in [tmp_path, *tmp_path.parents]:
        if base in parent.parents:
            parent.chmod(0o711)
    return directory


@needs_root
def test_files_created_by_root_belong_to_the_service(state_directory: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{state_directory}/monitor.db"
    with open_database(url) as database, database.lock("daemon"), database.lock("retrain"):
        SampleRepository(database).append(Sample(1.0))
        files = {file.name: file.stat() for file in state_directory.iterdir()}
        assert {"monitor.db", "monitor.db-wal", "monitor.db-shm", "monitor.db.retrain.lock"} <= set(files)
        owners = {(status.st_uid, status.st_gid, status.st_mode & 0o777) for status in files.values()}
        assert owners == {(SERVICE_USER, SERVICE_USER, 0o600)}
    subprocess.run([sys.executable, "-c", APPEND_AS_SERVICE, url, tmp_path / "other.db"], check=True)
    with open_database(url) as database:
        assert SampleRepository(database).count() == 2

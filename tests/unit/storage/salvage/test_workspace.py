"""Salvage workspaces."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from storage.salvage.workspace import PREFIX, workspace

pytestmark = pytest.mark.unit

HOLD = """
import sys
from storage.salvage.workspace import workspace
with workspace() as path:
    (path / "rescue.db").touch()
    print(path, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_workspace_is_private_and_deleted_at_its_end(temporary: Path) -> None:
    with workspace() as path:
        assert (path.parent, path.stat().st_mode & 0o777) == (temporary, 0o700)
        (path / "rescue.db").touch()
    assert list(temporary.iterdir()) == []


def test_workspace_of_a_killed_process_is_deleted_by_the_next_one(temporary: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        held = Path(process.stdout.readline().strip())
        with workspace():
            assert (held / "rescue.db").exists()
        process.kill()
    assert (held / "rescue.db").exists()
    with workspace() as path:
        assert list(temporary.iterdir()) == [path]


def test_workspace_deletes_nothing_through_planted_names(temporary: Path) -> None:
    victim = temporary / "victim"
    victim.mkdir()
    (victim / "file").touch()
    link = temporary / f"{PREFIX}link"
    link.symlink_to(victim)
    file = temporary / f"{PREFIX}file"
    file.touch()
    with workspace():
        pass
    assert sorted(temporary.iterdir()) == sorted([victim, link, file])
    assert (victim / "file").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_workspace_of_another_user_is_kept(temporary: Path) -> None:
    other = temporary / f"{PREFIX}other"
    other.mkdir()
    os.chown(other, 65534, 65534)
    with workspace():
        pass
    assert other.exists()

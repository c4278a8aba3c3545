"""Files that belong to the owner of their directory."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from storage import StorageError, StorageErrorKind
from storage.file_ownership import create_as_owner, open_as_owner, prepare_database_file

pytestmark = pytest.mark.unit

OWNER = 65_534


def test_create_as_owner_makes_a_private_file(tmp_path: Path) -> None:
    os.close(create_as_owner(tmp_path / "x", os.O_RDWR))
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can give files away")
def test_create_as_owner_gives_the_file_to_the_owner_of_the_directory(tmp_path: Path) -> None:
    os.chown(tmp_path, OWNER, OWNER)
    os.close(create_as_owner(tmp_path / "x", os.O_RDWR))
    status = (tmp_path / "x").stat()
    assert (status.st_uid, status.st_gid) == (OWNER, OWNER)


def test_create_as_owner_refuses_an_existing_file(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(FileExistsError):
        create_as_owner(tmp_path / "x", os.O_RDWR)


def test_open_as_owner_opens_an_existing_file_and_creates_a_missing_one(tmp_path: Path) -> None:
    for _ in range(2):
        os.close(open_as_owner(tmp_path / "x", os.O_RDWR))
    assert (tmp_path / "x").exists()


def test_open_as_owner_refuses_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to(tmp_path / "absent")
    with pytest.raises(FileExistsError):
        open_as_owner(tmp_path / "x", os.O_RDWR)


def test_prepare_database_file_creates_private_directories(tmp_path: Path) -> None:
    prepare_database_file(tmp_path / "new" / "x.db")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert (tmp_path / "new" / "x.db").read_bytes() == b""


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_created_files_and_all_directories_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    former = os.umask(umask)
    try:
        prepare_database_file(tmp_path / "a" / "b" / "x.db")
    finally:
        os.umask(former)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b", "a/b/x.db")]
    assert modes == [0o700, 0o700, 0o600]


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can give files away")
def test_prepare_database_file_refuses_a_link_of_another_user_to_a_foreign_file(tmp_path: Path) -> None:
    (tmp_path / "target").touch(0o600)
    (tmp_path / "x.db").symlink_to(tmp_path / "target")
    prepare_database_file(tmp_path / "x.db")
    os.lchown(tmp_path / "x.db", OWNER, OWNER)
    with pytest.raises(StorageError) as caught:
        prepare_database_file(tmp_path / "x.db")
    assert caught.value.kind is StorageErrorKind.NO_ACCESS
    os.chown(tmp_path / "target", OWNER, OWNER)
    prepare_database_file(tmp_path / "x.db")


def test_prepare_database_file_refuses_a_directory(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        prepare_database_file(tmp_path)
    assert caught.value.kind is StorageErrorKind.NOT_A_FILE

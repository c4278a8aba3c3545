"""Atomic file writes."""

import os
import threading

import pytest

from monitor.errors import MonitorError
from monitor.system.atomic_write import open_atomic, open_replacement

pytestmark = pytest.mark.unit


def write(path, content=b"new", **options):
    with open_atomic(path, **options) as file:
        file.write(content)


def test_open_atomic_replaces_a_file_and_leaves_no_temporary_file(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with open_atomic(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_open_replacement_replaces_a_link_and_refuses_a_directory(tmp_path):
    target = tmp_path / "target"
    target.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(target)
    with open_replacement(link, 0o600) as file:
        file.write(b"new")
    assert (target.read_bytes(), link.read_bytes(), link.is_symlink()) == (b"old", b"new", False)
    (tmp_path / "directory").mkdir()
    with pytest.raises(MonitorError), open_replacement(tmp_path / "directory") as file:
        file.write(b"new")


def test_open_atomic_keeps_the_former_file_after_an_error(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), open_atomic(path) as file:
        file.write("text")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_open_atomic_applies_mode_and_umask(tmp_path):
    former = os.umask(0o022)
    try:
        write(tmp_path / "public", mode=0o666)
        write(tmp_path / "private", mode=0o600)
        os.umask(0)
        write(tmp_path / "default")
    finally:
        os.umask(former)
    assert (tmp_path / "public").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "default").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600


def test_open_atomic_follows_a_link_and_keeps_it(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_open_atomic_writes_to_a_fifo_in_place(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=write, args=(path,))
    writer.start()
    assert path.read_bytes() == b"new"
    writer.join()
    assert path.is_fifo()


def test_open_atomic_names_a_path_that_cannot_be_written(tmp_path):
    path = tmp_path / "missing" / "x"
    with pytest.raises(MonitorError, match=str(path)):
        write(path)

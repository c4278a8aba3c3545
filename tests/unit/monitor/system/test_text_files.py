"""Size-limited reads of text files."""

import os
import threading
from pathlib import Path

import pytest

from monitor.system.text_files import MAX_TEXT_BYTES, read_text

pytestmark = pytest.mark.unit


def test_read_text_returns_content_and_status(tmp_path):
    path = tmp_path / "x"
    path.write_text("ä")
    text, status = read_text(path)
    assert (text, status.st_ino) == ("ä", path.stat().st_ino)


@pytest.mark.parametrize("name", ["missing", ".", "fifo", "large", "binary", "/dev/zero", "nul\0"])
def test_read_text_refuses_what_is_no_small_text_file(tmp_path, name):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "large").write_bytes(b"x" * (MAX_TEXT_BYTES + 1))
    (tmp_path / "binary").write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"cannot be read|null byte"):
        read_text(tmp_path / name)


def test_read_text_reads_a_pipe_that_this_process_has_open():
    reading, writing = os.pipe()
    writer = threading.Timer(0.05, lambda: (os.write(writing, b"text"), os.close(writing)))
    writer.start()
    try:
        assert read_text(Path(f"/dev/fd/{reading}"))[0] == "text"
    finally:
        writer.join()
        os.close(reading)

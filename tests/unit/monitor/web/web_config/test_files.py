"""Tests of monitor.web.web_config.files."""

import pytest

from monitor.web.web_config.files import FileReader, file_version

pytestmark = pytest.mark.unit


def test_reader_returns_the_text_of_a_relative_path(directory):
    (directory / "note").write_text("text")
    assert FileReader(directory).read_text("note") == "text"


@pytest.mark.parametrize("name", ["fifo", "/dev/zero", ".", "large.pem", "missing"])
def test_reader_refuses_files_that_cannot_be_read_at_once(directory, name):
    with pytest.raises(ValueError, match="cannot be read") as raised:
        FileReader(directory).read_text(name)
    assert str(directory / name) in str(raised.value)


def test_reader_refuses_binary_files(directory):
    (directory / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="cannot be read"):
        FileReader(directory).read_text("binary")


def test_reader_records_the_versions_of_all_files_it_tried(directory):
    reader = FileReader(directory)
    reader.read_text("server.crt")
    with pytest.raises(ValueError, match="missing"):
        reader.read_text("missing")
    assert reader.versions == {
        directory / "server.crt": file_version(directory / "server.crt"),
        directory / "missing": (),
    }


def test_file_version_changes_with_the_content(directory):
    before = file_version(directory / "server.crt")
    (directory / "server.crt").write_text("changed")
    assert file_version(directory / "server.crt") != before

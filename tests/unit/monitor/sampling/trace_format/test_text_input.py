"""Text of trace files: compression, encoding, line ends."""

import gzip

import pytest

from monitor.errors import MonitorError
from monitor.sampling.trace_format.text_input import open_lines

pytestmark = pytest.mark.unit

TEXT = "timestamp,cpu_usage\n1,0.5\n"


def lines(path, content):
    path.write_bytes(content)
    with open_lines(path) as opened:
        return list(opened)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)  # fmt: skip
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("name", ["trace.csv", "trace.csv.gz"])
def test_content_decides_on_encoding_and_compression(tmp_path, encoding, compress, name):
    assert lines(tmp_path / name, compress(TEXT.encode(encoding))) == ["timestamp,cpu_usage\n", "1,0.5\n"]


@pytest.mark.parametrize("mark", ["\ufeff".encode("utf-16-be"), b""])
def test_big_endian_text_is_read(tmp_path, mark):
    assert lines(tmp_path / "x.csv", mark + TEXT.encode("utf-16-be"))[1] == "1,0.5\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_have_any_end(tmp_path, end):
    assert lines(tmp_path / "x.csv", f"a{end}b{end}".encode()) == [f"a{end}", f"b{end}"]


def test_line_without_end_is_refused(tmp_path):
    with pytest.raises(MonitorError, match="line 1: has more than"):
        lines(tmp_path / "x.csv", gzip.compress(bytes(2**21)))


def test_empty_file_has_no_lines(tmp_path):
    assert lines(tmp_path / "x.csv", b"") == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04rest", "Excel"),
        (b"\xd0\xcf\x11\xe0rest", "Excel"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"\x28\xb5\x2f\xfdrest", "zstd"),
        (b"\xfd7zXZ\x00rest", "xz"),
        (b"BZh91AY", "bzip2"),
        (b"PAR1rest", "Parquet"),
        (b"\x96\xd5rest", "sar"),
        (b"timestamp,cpu_usage\n1,0.5\n2,\xff\n", "line 3: not UTF-8"),
        (b"\xff\xfea", "utf-16"),
        (gzip.compress(TEXT.encode() * 5000, mtime=0)[:-40], "gzip"),
        (gzip.compress(TEXT.encode(), mtime=0)[:12] + b"garbage", "gzip"),
    ],
)
def test_unreadable_content_is_refused_with_a_reason(tmp_path, content, reason):
    with pytest.raises(MonitorError, match=reason) as error:
        lines(tmp_path / "x.csv", content)
    assert str(tmp_path / "x.csv") in str(error.value)


@pytest.mark.parametrize("name", ["nowhere.csv", "."])
def test_unreadable_path_is_named(tmp_path, name):
    with pytest.raises(MonitorError, match="cannot be read"), open_lines(tmp_path / name):
        pass

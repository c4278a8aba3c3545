"""Text input: lines of a trace file in any supported compression and encoding."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Any, cast

from monitor.errors import MonitorError

GZIP_MAGIC = b"\x1f\x8b"

BYTE_ORDER_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
"""Byte order marks and their encodings; a mark that begins with another mark comes first."""

BINARY_FORMATS = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook: save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: save the sheet as CSV"),
    (b"SQLite format 3\x00", "a SQLite database: write it as CSV with `monitor export`"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd: decompress it first"),
    (b"\xfd7zXZ\x00", "compressed with xz: decompress it first"),
    (b"BZh", "compressed with bzip2: decompress it first"),
    (b"PAR1", "a Parquet file: write it as CSV first"),
    (b"\x96\xd5", "a binary file of sar: write it as JSON with `sadf -j FILE -- -A`"),
)
"""First bytes of binary formats, with advice."""

MAX_LINE_LENGTH = 2**20
"""Largest length of a line in characters; the line of a table with 16 metrics has less than 400."""

UNDECODABLE = re.compile("[\udc80-\udcff]")
"""Characters to which the error handler `surrogateescape` decodes bytes that are not UTF-8."""


@contextmanager
def open_lines(path: Path) -> Iterator[Iterator[str]]:
    """Open a trace file, and provide an iterator over its lines with their line ends (LF, CR or CRLF).

    Compression (gzip) and encoding (UTF-8, UTF-16, UTF-32) are detected from the content, because standard input has
    no file name.

    Raises:
        MonitorError: the file cannot be read, has a binary format, or is not valid text.
    """
    with open_content(path) as content, lines_of(path, content) as lines:
        yield lines


@contextmanager
def open_content(path: Path) -> Iterator[BufferedReader]:
    """Open a file, and provide its content, decompressed if it is compressed with gzip.

    Raises:
        MonitorError: the file cannot be read, here or within the `with` block.
    """
    try:
        with path.open("rb") as file, _decompressed(file) as content:
            yield content
    except OSError as error:
        raise MonitorError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise MonitorError(f"{path}: incomplete or damaged gzip file: {error}") from error


@contextmanager
def lines_of(path: Path, content: BufferedReader) -> Iterator[Iterator[str]]:
    """Provide the lines of an open file.

    Raises:
        MonitorError: the content has a binary format, or is not valid text.
    """
    try:
        with _decoded(path, content) as text:
            yield _checked_lines(path, text)
    except UnicodeDecodeError as error:
        raise MonitorError(f"{path}: not valid {error.encoding} text: {error.reason}") from error


@contextmanager
def _decompressed(file: BufferedReader) -> Iterator[BufferedReader]:
    """Provide a stream of the content of a file, decompressed if the file begins with the magic number of gzip."""
    if file.peek(2)[:2] != GZIP_MAGIC:
        yield file
        return
    # BufferedReader only calls methods that GzipFile has, although GzipFile is not declared as a raw stream.
    with gzip.GzipFile(fileobj=file) as compressed, BufferedReader(cast("Any", compressed)) as content:
        yield cast("BufferedReader", content)


def _decoded(path: Path, content: BufferedReader) -> TextIOWrapper:
    """Return a text stream with the encoding detected in the first bytes.

    Raises:
        MonitorError: the file has a binary format.
    """
    head = content.peek(16)[:16]
    for magic, advice in BINARY_FORMATS:
        if head.startswith(magic):
            raise MonitorError(f"{path}: {advice}")
    encoding = _encoding(head)
    errors = "surrogateescape" if encoding == "utf-8-sig" else "strict"
    return TextIOWrapper(content, encoding=encoding, errors=errors, newline="")


def _encoding(head: bytes) -> str:
    """Return the encoding of a text; UTF-8 unless a byte order mark or a zero byte indicates UTF-16 or UTF-32.

    Args:
        head: first bytes of the text; the first two are checked for a zero byte.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    if head[1:2] == b"\x00" and head[:1] != b"\x00":
        return "utf-16-le"
    if head[:1] == b"\x00" and head[1:2] != b"\x00":
        return "utf-16-be"
    return "utf-8-sig"


def _checked_lines(path: Path, text: TextIOWrapper) -> Iterator[str]:
    """Yield the lines of a text stream, and reject bytes that are not UTF-8; these decode to surrogates.

    Raises:
        MonitorError: a line contains bytes that are not UTF-8, or has more than MAX_LINE_LENGTH characters.
    """
    # Iteration over the stream would read a line of any length, such as that of /dev/zero.
    for number, line in enumerate(iter(lambda: text.readline(MAX_LINE_LENGTH + 1), ""), 1):
        if len(line) > MAX_LINE_LENGTH:
            raise MonitorError(f"{path}, line {number}: has more than {MAX_LINE_LENGTH} characters")
        if not line.isascii() and UNDECODABLE.search(line):
            raise MonitorError(f"{path}, line {number}: not UTF-8 text")
        yield line

"""Database image: pages of a damaged file and its write-ahead log, read only.

SQLite refuses a file whose header or schema is damaged, and creates files next to one with a write-ahead log. This
reader follows the file format instead (sqlite.org/fileformat.html): it takes no lock and writes nothing.
"""

from __future__ import annotations

import os
import struct
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from storage.errors import StorageError, StorageErrorKind, storage_errors
from storage.inspection import HEADER

DEFAULT_PAGE_SIZE = 4096
"""Page size in bytes of the databases of this program, used if no header states one."""

PAGE_SIZES = frozenset(2**power for power in range(9, 17))

LOG_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}
"""First number of a write-ahead log, and the byte order of the words in its checksums (fileformat.html, 4.1)."""

LOG_HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24

WORD = 0xFFFFFFFF


class DatabaseImage:
    """Pages of a database file; committed pages of its write-ahead log replace those of the file.

    A `with` block closes the files at its end.

    Attributes:
        path: path of the database file.
        page_size: bytes of a page.
        usable_size: bytes of a page without the reserved ones at its end.
        pages: number of pages in the file and the log.
    """

    def __init__(self, path: Path) -> None:
        """Open a database file and its write-ahead log, which may be missing.

        Raises:
            StorageError: the file is missing, is not a regular file or cannot be read.
        """
        self.path = path
        with storage_errors(str(path)), ExitStack() as opened:
            self._file = _open(path)
            opened.callback(os.close, self._file)
            log = Path(f"{os.path.realpath(path)}-wal")
            self._log = _open(log) if log.is_file() else None
            if self._log is not None:
                opened.callback(os.close, self._log)
            self._opened = opened.pop_all()
            try:
                self._read_headers()
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        self._opened.close()

    def page(self, number: int) -> bytes:
        """Return a page; empty if it lies outside the file or cannot be read.

        Args:
            number: number of the page, from 1.
        """
        if not 1 <= number <= self.pages:
            return b""
        offset = self._frames.get(number)
        try:
            if offset is not None and self._log is not None:
                page = os.pread(self._log, self.page_size, offset)
            else:
                page = os.pread(self._file, self.page_size, (number - 1) * self.page_size)
        except OSError:
            # A bad sector costs the rows of this page only.
            return b""
        return page if len(page) == self.page_size else b""

    def _read_headers(self) -> None:
        header = os.pread(self._file, 100, 0)
        log_header = b"" if self._log is None else os.pread(self._log, LOG_HEADER_BYTES, 0)
        self.page_size = _page_size(header) or _log_page_size(log_header) or DEFAULT_PAGE_SIZE
        self.usable_size = self.page_size
        self._frames = {} if self._log is None else _committed_frames(self._log, log_header, self.page_size)
        self.pages = max(os.fstat(self._file).st_size // self.page_size, *self._frames, 0)
        first = self.page(1)
        if first.startswith(HEADER) and first[20] <= self.page_size - 480:
            self.usable_size -= first[20]


def _open(path: Path) -> int:
    """Open a regular file for reading; a FIFO without a writer is refused instead of waited for.

    Raises:
        StorageError: the path does not exist or is not a regular file.
        OSError: the file cannot be opened.
    """
    if not path.exists():
        raise StorageError(f"{path}: the file does not exist", StorageErrorKind.MISSING)
    if not path.is_file():
        raise StorageError(f"{path}: not a file", StorageErrorKind.NOT_A_FILE)
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)


def _page_size(header: bytes) -> int | None:
    """Return the page size that the header of a database file states; None if the header is damaged."""
    if len(header) < 100 or not header.startswith(HEADER):
        return None
    (stated,) = struct.unpack_from(">H", header, 16)
    # 1 stands for 65536.
    size = 65_536 if stated == 1 else stated
    return size if size in PAGE_SIZES else None


def _log_page_size(header: bytes) -> int | None:
    """Return the page size that the header of a write-ahead log states; None if the header is damaged."""
    if len(header) < LOG_HEADER_BYTES:
        return None
    magic, _, size = struct.unpack_from(">III", header)
    return size if magic in LOG_MAGIC and size in PAGE_SIZES else None


def _committed_frames(log: int, header: bytes, page_size: int) -> dict[int, int]:
    """Return the offset of the newest committed content of each page in a write-ahead log.

    As SQLite does, read up to the first frame whose salts or checksum are wrong (fileformat.html, 4.2).
    """
    if _log_page_size(header) != page_size:
        return {}
    words = f"{LOG_MAGIC[struct.unpack_from('>I', header)[0]]}{page_size // 4}I"
    head = f"{words[0]}6I"
    checksum = _checksum(0, 0, struct.unpack(head, header[:24]))
    if checksum != struct.unpack_from(">II", header, 24):
        return {}
    committed: dict[int, int] = {}
    pending: dict[int, int] = {}
    offset = LOG_HEADER_BYTES
    while True:
        frame = os.pread(log, FRAME_HEADER_BYTES + page_size, offset)
        if len(frame) < FRAME_HEADER_BYTES + page_size or frame[8:16] != header[16:24]:
            return committed
        checksum = _checksum(*checksum, struct.unpack_from(f"{words[0]}2I", frame))
        checksum = _checksum(*checksum, struct.unpack_from(words, frame, FRAME_HEADER_BYTES))
        number, size_after_commit, _, _, *stated = struct.unpack_from(">6I", frame)
        if list(checksum) != stated:
            return committed
        pending[number] = offset + FRAME_HEADER_BYTES
        if size_after_commit:
            committed.update(pending)
            pending.clear()
        offset += len(frame)


def _checksum(first: int, second: int, words: tuple[int, ...]) -> tuple[int, int]:
    """Return the cumulative checksum of a write-ahead log after further words (fileformat.html, 4.2)."""
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & WORD
        second = (second + odd + first) & WORD
    return first, second

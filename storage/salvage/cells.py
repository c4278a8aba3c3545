"""Cells of B-tree pages: decoding of the records of a damaged database.

The format is described in sqlite.org/fileformat.html, 1.6 and 2. Every length and offset is checked against the
page: a damaged cell costs its row only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from storage.rows import decode_text
from storage.salvage.image import DatabaseImage

MAX_RECORD_BYTES = 256 * 2**20
"""Largest size of a record in bytes; a damaged length must not allocate more."""

Value = None | int | float | str | bytes


class PageType(IntEnum):
    """First byte of a B-tree page. An index page holds the rows of a table WITHOUT ROWID."""

    INDEX_INTERIOR = 0x02
    TABLE_INTERIOR = 0x05
    INDEX_LEAF = 0x0A
    TABLE_LEAF = 0x0D


INTERIOR = frozenset({PageType.INDEX_INTERIOR, PageType.TABLE_INTERIOR})
PAGE_TYPES = {page_type.value: page_type for page_type in PageType}


class DamagedCellError(Exception):
    """Raised for a cell or a record whose lengths contradict each other or its page."""


@dataclass(frozen=True)
class Page:
    """B-tree page with plausible header.

    Attributes:
        type: type of the page.
        content: bytes of the page.
        cells: offset of each cell, from the start of the page.
        right_child: number of the last child page; 0 for a leaf.
    """

    type: PageType
    content: bytes
    cells: tuple[int, ...]
    right_child: int


def read_page(image: DatabaseImage, number: int) -> Page | None:
    """Return a B-tree page; None if the page is missing, of another kind or damaged."""
    content = image.page(number)
    start = 100 if number == 1 else 0
    page_type = PAGE_TYPES.get(content[start]) if content else None
    if page_type is None:
        return None
    (count,) = struct.unpack_from(">H", content, start + 3)
    pointers = start + (12 if page_type in INTERIOR else 8)
    if pointers + 2 * count > image.usable_size:
        return None
    offsets = struct.unpack_from(f">{count}H", content, pointers)
    right_child = struct.unpack_from(">I", content, start + 8)[0] if page_type in INTERIOR else 0
    return Page(page_type, content, offsets, right_child)


def children(page: Page) -> list[int]:
    """Return the numbers of the child pages of an interior page, in order; empty for a leaf."""
    if page.type not in INTERIOR:
        return []
    inside = (offset for offset in page.cells if offset + 4 <= len(page.content))
    return [*(struct.unpack_from(">I", page.content, offset)[0] for offset in inside), page.right_child]


def records(image: DatabaseImage, page: Page) -> Iterator[tuple[int, list[Value]] | None]:
    """Yield the row ID and the values of each cell with a record; None for a damaged cell.

    The row ID is 0 in a page of a table WITHOUT ROWID.
    """
    if page.type is PageType.TABLE_INTERIOR:
        return
    for offset in page.cells:
        try:
            row_id, payload = _payload(image, page, offset)
            yield row_id, decode_record(payload)
        except (DamagedCellError, IndexError, struct.error):
            yield None


def _payload(image: DatabaseImage, page: Page, offset: int) -> tuple[int, bytes]:
    """Return the row ID and the record of a cell, with its overflow pages.

    Raises:
        DamagedCellError: a length or a page number is impossible.
    """
    content = page.content
    if page.type is PageType.INDEX_INTERIOR:
        offset += 4
    size, offset = _varint(content, offset)
    row_id = 0
    if page.type is PageType.TABLE_LEAF:
        row_id, offset = _varint(content, offset)
        row_id -= (row_id >> 63) << 64
    if not 0 < size <= min(MAX_RECORD_BYTES, image.pages * image.page_size):
        raise DamagedCellError("the size of its record is impossible")
    local = _local_bytes(size, image.usable_size, is_table=page.type is PageType.TABLE_LEAF)
    start = content[offset : offset + local]
    if offset + local > image.usable_size:
        raise DamagedCellError("it exceeds its page")
    if local == size:
        return row_id, start
    (following,) = struct.unpack_from(">I", content, offset + local)
    return row_id, _with_overflow(image, start, size, following)


def _with_overflow(image: DatabaseImage, start: bytes, size: int, following: int) -> bytes:
    """Return a record of `size` bytes: `start`, and a chain of overflow pages, the first one `following`."""
    parts = [start]
    missing = size - len(start)
    while missing > 0:
        page = image.page(following)
        if not page:
            raise DamagedCellError("an overflow page is missing")
        (following,) = struct.unpack_from(">I", page)
        parts.append(page[4 : min(4 + missing, image.usable_size)])
        missing -= len(parts[-1])
    return b"".join(parts)


def _local_bytes(size: int, usable: int, *, is_table: bool) -> int:
    """Return the bytes of a record of `size` bytes that are in its cell (fileformat.html, 1.6)."""
    largest = usable - 35 if is_table else (usable - 12) * 64 // 255 - 23
    if size <= largest:
        return size
    smallest = (usable - 12) * 32 // 255 - 23
    local = smallest + (size - smallest) % (usable - 4)
    return local if local <= largest else smallest


def decode_record(payload: bytes) -> list[Value]:
    """Return the values of a record.

    Raises:
        DamagedCellError: the lengths of its values do not add up.
    """
    header_size, offset = _varint(payload, 0)
    serial_types: Sequence[int] = payload[offset:header_size]
    if any(byte >= 0x80 for byte in serial_types):
        serial_types, offset = _varints(payload, offset, header_size)
    else:
        offset += len(serial_types)
    sizes = [_size(serial_type) for serial_type in serial_types]
    if offset != header_size or header_size + sum(sizes) != len(payload):
        raise DamagedCellError("the lengths of its values do not add up")
    values = []
    for serial_type, size in zip(serial_types, sizes, strict=True):
        values.append(_value(serial_type, payload[offset : offset + size]))
        offset += size
    return values


_INTEGER_BYTES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
_REAL = 7


def _size(serial_type: int) -> int:
    if serial_type < len(_INTEGER_BYTES):
        return _INTEGER_BYTES[serial_type]
    if serial_type in (10, 11):
        raise DamagedCellError("a type is reserved")
    return (serial_type - 12) // 2


def _value(serial_type: int, content: bytes) -> Value:
    """Return a value, given its serial type (fileformat.html, 2.1)."""
    if serial_type == 0:
        return None
    if serial_type == _REAL:
        return float(struct.unpack(">d", content)[0])
    if serial_type in (8, 9):
        return serial_type - 8
    if serial_type < _REAL:
        return int.from_bytes(content, "big", signed=True)
    return decode_text(content) if serial_type % 2 else content


def _varints(content: Sequence[int], offset: int, end: int) -> tuple[list[int], int]:
    """Return the integers of variable length up to an offset, and the offset of the next byte."""
    values = []
    while offset < end:
        value, offset = _varint(content, offset)
        values.append(value)
    return values, offset


def _varint(content: Sequence[int], offset: int) -> tuple[int, int]:
    """Return an integer of variable length and the offset of the next byte (fileformat.html, 1.6)."""
    value = 0
    for position in range(offset, offset + 8):
        byte = content[position]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, position + 1
    return value << 8 | content[offset + 8], offset + 9

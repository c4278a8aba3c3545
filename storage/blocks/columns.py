"""Column codec: exact compression of one column of numbers.

A column is encoded in the first way that fits: all values missing, one value, a few different values, scaled
integers, or the bits of the numbers. Every number is restored bit for bit.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Words = NDArray[np.uint64]

SCALES = (1.0, 1e6)
"""Factors that make the quantized values of samples and predictions whole numbers; see `storage.quantization`."""

MAX_INTEGER = 2.0**53
"""Bound of the whole numbers that a float represents exactly."""

MAX_DIFFERENT = 16
"""Largest number of different values that are listed."""

MAX_ROWS = 2**16 - 1
"""Largest number of rows of a column: the length of a byte plane has 16 bits."""

WORD_BYTES = 8
LEVEL = 6

_INTEGERS = struct.Struct("<Bqq")
_LENGTH = struct.Struct("<H")


class Encoding(IntEnum):
    """First byte of an encoded column."""

    MISSING = 0
    CONSTANT = 1
    LISTED = 2
    INTEGERS = 3
    BITS = 4
    MASKED = 5


class DamagedColumnError(ValueError):
    """Raised for an encoded column that cannot be decoded."""


class _Reader:
    """Encoded bytes, read from the start."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes; ValueError if there are fewer."""
        part = self._data[self._offset : self._offset + size]
        if len(part) < size:
            raise DamagedColumnError("it is too short")
        self._offset += size
        return part

    def unpack(self, layout: struct.Struct) -> tuple[int, ...]:
        """Return the next numbers."""
        return layout.unpack(self.take(layout.size))


def encode_column(values: Array) -> bytes:
    """Return the encoded form of a column.

    Args:
        values: (rows,) any numbers; NaN for a missing value. At most MAX_ROWS.
    """
    is_missing = np.isnan(values)
    if is_missing.all():
        return bytes([Encoding.MISSING])
    if not is_missing.any():
        return _encode_present(values)
    mask = _pack_plane(np.packbits(is_missing))
    return bytes([Encoding.MASKED]) + mask + _encode_present(values[~is_missing])


def decode_column(data: bytes, rows: int) -> Array:
    """Return the column (rows,) of an encoded form.

    Raises:
        ValueError: the data are damaged.
    """
    try:
        return _decode(_Reader(data), rows)
    except zlib.error as error:
        raise DamagedColumnError(str(error)) from error


def _encode_present(values: Array) -> bytes:
    words = values.view(np.uint64)
    if (words == words[0]).all():
        return bytes([Encoding.CONSTANT]) + words[:1].astype("<u8").tobytes()
    listed = _encode_listed(words)
    if listed is not None:
        return listed
    for number, scale in enumerate(SCALES):
        integers = _scaled(values, scale)
        if integers is not None:
            return _encode_integers(number, integers)
    changes = np.append(words[:1], words[1:] ^ words[:-1])
    return bytes([Encoding.BITS]) + min((_pack_words(words, 0), _pack_words(changes, 1)), key=len)


def _scaled(values: Array, scale: float) -> Integers | None:
    """Return the values times a scale as integers; None if these do not restore every value bit for bit."""
    if float(np.abs(values).max()) >= MAX_INTEGER / scale:
        return None
    integers = np.rint(values * scale).astype(np.int64)
    is_exact = (integers / scale).view(np.uint64) == values.view(np.uint64)
    return integers if is_exact.all() else None


def _encode_listed(words: Words) -> bytes | None:
    """Return the encoded form of a column with few different values; None if it has many."""
    different, numbers = np.unique(words[:256], return_inverse=True)
    if len(different) <= MAX_DIFFERENT < len(words):
        different, numbers = np.unique(words, return_inverse=True)
    if not len(different) <= MAX_DIFFERENT < len(words):
        return None
    header = bytes([Encoding.LISTED, len(different)]) + different.astype("<u8").tobytes()
    return header + _pack_plane(numbers.astype(np.uint8))


def _encode_integers(scale: int, integers: Integers) -> bytes:
    """Return the encoded form of scaled integers: multiples of their divisor above the smallest, or differences."""
    smallest = int(integers.min())
    divisor = int(np.gcd.reduce(integers - smallest))
    multiples = (integers - smallest) // divisor
    steps = np.diff(multiples, prepend=0)
    zigzag = (steps << 1) ^ (steps >> 63)
    header = bytes([Encoding.INTEGERS]) + _INTEGERS.pack(scale, divisor, smallest)
    return header + min((_pack_words(part.view(np.uint64), i) for i, part in enumerate((multiples, zigzag))), key=len)


def _pack_words(words: Words, form: int) -> bytes:
    """Return a byte for the form, the number of byte planes, and each plane compressed."""
    width = (int(words.max()).bit_length() + 7) // 8
    planes = words.astype("<u8").view(np.uint8).reshape(-1, WORD_BYTES)
    return bytes([form, width]) + b"".join(_pack_plane(planes[:, i]) for i in range(width))


def _pack_plane(plane: NDArray[np.uint8]) -> bytes:
    """Return the length and the deflated bytes, or the bytes as they are if that is not longer."""
    plain = plane.tobytes()
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -13, 6)
    packed = deflate.compress(plain) + deflate.flush()
    if len(packed) >= len(plain):
        packed = plain
    return _LENGTH.pack(len(packed)) + packed


def _unpack_plane(reader: _Reader, size: int) -> NDArray[np.uint8]:
    (length,) = reader.unpack(_LENGTH)
    content = reader.take(length)
    if length != size:
        content = zlib.decompressobj(-13).decompress(content, size)
    return np.frombuffer(content, np.uint8, size)


def _unpack_words(reader: _Reader, rows: int) -> tuple[int, Words]:
    form, width = reader.take(2)
    if form > 1 or width > WORD_BYTES:
        raise DamagedColumnError("an unknown form")
    planes = np.zeros((rows, WORD_BYTES), np.uint8)
    for i in range(width):
        planes[:, i] = _unpack_plane(reader, rows)
    return form, planes.view("<u8").reshape(rows)


def _decode(reader: _Reader, rows: int) -> Array:
    (encoding,) = reader.take(1)
    if encoding == Encoding.MASKED:
        is_missing = np.unpackbits(_unpack_plane(reader, (rows + 7) // 8), count=rows).view(np.bool_)
        values = np.full(rows, np.nan)
        present = int(rows - np.count_nonzero(is_missing))
        values[~is_missing] = _decode(reader, present)
        return values
    decoder = _DECODERS.get(encoding)
    if decoder is None:
        raise DamagedColumnError("an unknown encoding")
    return decoder(reader, rows)


def _decode_missing(_: _Reader, rows: int) -> Array:
    return np.full(rows, np.nan)


def _decode_constant(reader: _Reader, rows: int) -> Array:
    return np.full(rows, np.frombuffer(reader.take(WORD_BYTES), "<f8")[0])


def _decode_listed(reader: _Reader, rows: int) -> Array:
    (count,) = reader.take(1)
    different = np.frombuffer(reader.take(count * WORD_BYTES), "<f8")
    numbers = _unpack_plane(reader, rows)
    if int(numbers.max()) >= count:
        raise DamagedColumnError("a number without its value")
    return different[numbers]


def _decode_integers(reader: _Reader, rows: int) -> Array:
    scale, divisor, smallest = reader.unpack(_INTEGERS)
    if scale >= len(SCALES):
        raise DamagedColumnError("an unknown scale")
    form, words = _unpack_words(reader, rows)
    multiples = words.view(np.int64)
    if form:
        multiples = np.cumsum((multiples >> 1) ^ -(multiples & 1))
    integers = multiples * divisor + smallest
    return integers / SCALES[scale]


def _decode_bits(reader: _Reader, rows: int) -> Array:
    form, words = _unpack_words(reader, rows)
    return (np.bitwise_xor.accumulate(words) if form else words).view(np.float64)


_DECODERS: dict[int, Callable[[_Reader, int], Array]] = {
    Encoding.MISSING: _decode_missing,
    Encoding.CONSTANT: _decode_constant,
    Encoding.LISTED: _decode_listed,
    Encoding.INTEGERS: _decode_integers,
    Encoding.BITS: _decode_bits,
}

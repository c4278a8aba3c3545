"""Encoding of aggregates: a table of numbers as compressed bytes that belong to one block."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from storage.aggregates.computation import Array

MAX_BYTES = 2**20
"""Largest size of the decompressed numbers in bytes: that of more horizons than a model has."""

LEVEL = 6


def encode_aggregates(values: Array) -> bytes:
    """Return the compressed form of a table (rows, columns): its bytes of equal significance, column by column."""
    planes = np.ascontiguousarray(values.T, "<f8").view(np.uint8).reshape(-1, 8).T
    return zlib.compress(planes.tobytes(), LEVEL)


def decode_aggregates(data: bytes, columns: int) -> Array:
    """Return the table (rows, columns) of a compressed form.

    Raises:
        ValueError: the data are damaged.
    """
    decompressor = zlib.decompressobj()
    try:
        content = decompressor.decompress(data, MAX_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not decompressor.eof:
        raise ValueError("too short or too long")
    planes = np.frombuffer(content, np.uint8).reshape(8, -1)
    return np.ascontiguousarray(planes.T).view("<f8").reshape(columns, -1).T


def aggregates_checksum(data: bytes, columns: int, block_checksum: int) -> int:
    """Return the CRC-32 of the data, of the number of their columns and of the block that they belong to.

    Aggregates are never taken for those of another block, or for those of a release with other columns.
    """
    return zlib.crc32(data, zlib.crc32(struct.pack("<Hq", columns, block_checksum)))

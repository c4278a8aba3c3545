"""Exact compression of aggregates."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from storage.aggregates.encoding import MAX_BYTES, aggregates_checksum, decode_aggregates, encode_aggregates

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("shape", [(0, 7), (1, 1), (12, 49)])
def test_every_bit_is_restored(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(1).normal(0, 1e9, shape)
    values[values > 1e9] = np.nan
    values[values < -1e9] = -0.0
    decoded = decode_aggregates(encode_aggregates(values), shape[1])
    assert decoded.shape == shape
    assert np.ascontiguousarray(decoded).tobytes() == values.tobytes()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        encode_aggregates(np.ones((2, 3)))[:-6],
        encode_aggregates(np.ones((2, 2))),
        zlib.compress(bytes(MAX_BYTES + 24)),
    ],
)
def test_damaged_data_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any message
        decode_aggregates(data, 3)


def test_checksum_depends_on_the_data_the_columns_and_the_block() -> None:
    cases = [(data, columns, block) for data in (b"a", b"b") for columns in (1, 2) for block in (1, 2**32 - 1)]
    assert len({aggregates_checksum(*case) for case in cases}) == len(cases)

"""Column codec: every number is restored bit for bit."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.blocks.columns import MAX_ROWS, Encoding, decode_column, encode_column

pytestmark = pytest.mark.unit

ANY = st.floats(allow_nan=True, allow_infinity=True, width=64)
QUANTIZED = st.integers(-(10**12), 10**12).map(lambda steps: steps / 1e6)
COUNTERS = st.integers(-(2**60), 2**60).map(float)
MISSING = st.just(math.nan)
COLUMNS = st.one_of(
    st.lists(values, min_size=1, max_size=400)
    for values in (
        ANY,
        QUANTIZED,
        COUNTERS,
        st.one_of(QUANTIZED, MISSING),
        st.one_of(ANY, MISSING, COUNTERS),
        st.sampled_from([0.0, -0.0, 1.0, math.inf, 5e-324]),
    )
)


def bits(values: np.ndarray) -> list[int]:
    """Return the bits of each number; all missing values are the same."""
    return np.where(np.isnan(values), np.nan, values).view(np.uint64).tolist()


@given(COLUMNS)
def test_column_is_restored_bit_for_bit(numbers: list[float]) -> None:
    values = np.array(numbers)
    encoded = encode_column(values)
    assert bits(decode_column(encoded, len(values))) == bits(values)


@pytest.mark.parametrize(
    ("values", "encoding", "limit"),
    [
        (np.full(720, np.nan), Encoding.MISSING, 1),
        (np.full(720, -0.0), Encoding.CONSTANT, 9),
        (np.where(np.arange(720) % 7 == 0, 0.8, 1 / 3), Encoding.LISTED, 60),
        (1.75e9 + 5.0 * np.arange(720), Encoding.INTEGERS, 60),
        (np.round(np.sin(np.arange(720) / 100), 6), Encoding.INTEGERS, 1500),
        (np.sqrt(np.arange(720) + 2.0), Encoding.BITS, 720 * 8),
        (np.where(np.arange(720) == 5, np.nan, 1.0), Encoding.MASKED, 30),
    ],
)
def test_column_is_encoded_in_the_first_way_that_fits(values: np.ndarray, encoding: Encoding, limit: int) -> None:
    encoded = encode_column(values)
    assert (encoded[0], len(encoded) <= limit) == (encoding, True)


@given(COLUMNS, st.data())
def test_damaged_column_raises_value_error_or_yields_all_rows(numbers: list[float], data: st.DataObject) -> None:
    encoded = bytearray(encode_column(np.array(numbers)))
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(encoded)))
    for damaged in (bytes(encoded), bytes(encoded[:cut])):
        try:
            assert len(decode_column(damaged, len(numbers))) == len(numbers)
        except ValueError:
            continue


def test_longest_column_is_restored() -> None:
    values = np.random.default_rng(0).random(MAX_ROWS)
    assert np.array_equal(decode_column(encode_column(values), MAX_ROWS), values)
    with pytest.raises(struct.error):
        encode_column(np.random.default_rng(0).random(MAX_ROWS + 1))

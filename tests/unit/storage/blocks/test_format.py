"""Block format: rows, checksum and version of one hour."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.blocks.format import decode_block, encode_block
from storage.blocks.series import PREDICTIONS, REPLAYED_PREDICTIONS, SAMPLES

pytestmark = pytest.mark.unit

HOUR = 3600.0 * 486_111
MILLISECONDS = st.sets(st.integers(0, 3_599_999), min_size=1, max_size=60)
CELLS = st.one_of(
    st.just(math.nan), st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 2**45).map(float)
)


def same(first: np.ndarray, second: np.ndarray) -> bool:
    return first.shape == second.shape and first.tobytes() == second.tobytes()


@given(MILLISECONDS, st.data())
def test_block_of_samples_has_the_same_rows(offsets: set[int], data: st.DataObject) -> None:
    times = np.array([HOUR + offset / 1000 for offset in sorted(offsets)])
    width = len(SAMPLES.columns) - 1
    rows = data.draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=3))
    values = np.column_stack((times, np.resize(np.array(rows), (len(times), width))))
    block = decode_block(SAMPLES, SAMPLES.columns, encode_block(SAMPLES, 1, HOUR, values))
    assert same(block.values, values)
    assert same(decode_block(SAMPLES, ("at",), encode_block(SAMPLES, 1, HOUR, values)).values, values[:, :1])


@given(MILLISECONDS, st.randoms(use_true_random=False))
def test_block_of_predictions_has_the_same_rows_in_the_order_of_time(offsets: set[int], random: Any) -> None:
    times = [HOUR + offset / 1000 for offset in sorted(offsets)]
    keys = [(at, horizon) for at in times for horizon in (300.0, 900.0) if random.random() < 0.9] or [(HOUR, 300.0)]
    values = np.array([[*key, 3, random.random(), 0.1, 0.6, random.random() < 0.5, math.nan] for key in keys])
    shuffled = values[np.array(random.sample(range(len(values)), len(values)))]
    block = decode_block(PREDICTIONS, PREDICTIONS.columns, encode_block(PREDICTIONS, 1, HOUR, shuffled))
    assert same(block.values, values)


def test_block_states_its_period_and_its_rows() -> None:
    row = encode_block(SAMPLES, 7, HOUR, sample_values())
    assert (row["host_id"], row["start"], row["row_count"], row["format"]) == (7, HOUR, 3, 1)
    assert (row["first_at"], row["last_at"]) == (HOUR + 5, HOUR + 15.25)


@pytest.mark.parametrize("column", ["host_id", "start", "first_at", "last_at", "row_count", "format", "checksum"])
def test_block_with_another_number_is_damaged(column: str) -> None:
    row = encode_block(SAMPLES, 1, HOUR, sample_values())
    with pytest.raises(ValueError, match="checksum"):
        decode_block(SAMPLES, ("at",), {**row, column: row[column] + 1})


def test_block_with_any_changed_bit_is_damaged() -> None:
    row = encode_block(SAMPLES, 1, HOUR, sample_values())
    for position in range(len(row["data"])):
        damaged = bytearray(row["data"])
        damaged[position] ^= 1 << position % 8
        with pytest.raises(ValueError, match="checksum"):
            decode_block(SAMPLES, ("at",), {**row, "data": bytes(damaged)})


def test_block_with_an_impossible_number_is_damaged() -> None:
    row = encode_block(SAMPLES, 1, HOUR, sample_values())
    with pytest.raises(ValueError, match="too large"):
        decode_block(SAMPLES, ("at",), {**row, "row_count": 2**70})


def test_block_of_another_series_is_damaged() -> None:
    row = encode_block(PREDICTIONS, 1, HOUR, np.array([[HOUR, 300.0, 1, 0.5, 0.1, 0.6, 0, math.nan]]))
    with pytest.raises(ValueError, match="format"):
        decode_block(REPLAYED_PREDICTIONS, ("at",), row)


def test_column_that_an_earlier_release_did_not_have_is_missing() -> None:
    earlier = replace(SAMPLES, columns=SAMPLES.columns[:-1])
    row = encode_block(earlier, 1, HOUR, sample_values()[:, :-1])
    values = decode_block(SAMPLES, SAMPLES.columns, row).values
    assert np.isnan(values[:, -1]).all()
    assert same(np.ascontiguousarray(values[:, :-1]), np.ascontiguousarray(sample_values()[:, :-1]))


def sample_values() -> np.ndarray:
    """Return three samples."""
    times = HOUR + np.array([5.0, 10.0, 15.25])
    return np.column_stack((times, np.arange(3 * (len(SAMPLES.columns) - 1)).reshape(3, -1) / 4))

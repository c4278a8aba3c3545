"""Quantization of samples and predictions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import SAMPLE_FIELDS, Sample, quantize_number, quantize_sample, quantize_values

pytestmark = pytest.mark.unit

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def test_quantize_sample_rounds_byte_rates_to_integers() -> None:
    sample = Sample(1.0, network_receive=10.6, network_transmit=0.2, disk_read=1e9 + 0.7, network_errors=1 / 60)
    expected = Sample(1.0, network_receive=11.0, network_transmit=0.0, disk_read=1e9 + 1, network_errors=0.016667)
    assert quantize_sample(sample) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), None])
def test_quantize_sample_drops_values_that_are_not_finite(value: float | None) -> None:
    assert quantize_sample(Sample(1.0, cpu_usage=value, disk_read=value)) == Sample(1.0)


def test_quantize_sample_is_idempotent() -> None:
    sample = quantize_sample(Sample(1.0, cpu_usage=1 / 3, disk_read=1 / 3))
    assert quantize_sample(sample) == sample


def test_quantize_values_rounds_byte_rates_to_integers() -> None:
    values = np.array([[0.25, 2.5], [0.7500004, 3.5], [math.nan, math.nan]])
    expected = np.array([[0.25, 2.0], [0.75, 4.0], [math.nan, math.nan]])
    np.testing.assert_array_equal(quantize_values(values, ("cpu_usage", "disk_read")), expected)


@given(st.lists(FINITE, min_size=len(SAMPLE_FIELDS), max_size=len(SAMPLE_FIELDS)))
def test_quantize_values_agrees_with_quantize_sample(numbers: list[float]) -> None:
    sample = quantize_sample(Sample(1.0, *numbers))
    expected = [getattr(sample, name) for name in SAMPLE_FIELDS]
    assert quantize_values(np.array([numbers]), SAMPLE_FIELDS).tolist() == [expected]


@given(st.decimals(min_value=-1000, max_value=1000, places=6))
def test_number_with_six_decimals_is_not_changed(number: float) -> None:
    assert quantize_number(float(number)) == float(number)


@given(FINITE)
def test_quantized_number_is_at_most_half_a_step_away(number: float) -> None:
    quantized = quantize_number(number)
    assert abs(quantized - number) <= 0.5000001e-6
    assert quantize_number(quantized) == quantized


def test_quantize_number_keeps_nan() -> None:
    assert math.isnan(quantize_number(math.nan))

"""Records of the database."""

from __future__ import annotations

import pytest

from storage import SAMPLE_FIELDS, Sample, quantize_sample
from storage.records import BYTE_RATE_FIELDS

pytestmark = pytest.mark.unit


def test_sample_fields_contain_all_byte_rates() -> None:
    assert set(SAMPLE_FIELDS) >= BYTE_RATE_FIELDS


def test_quantize_sample_rounds_byte_rates_only() -> None:
    sample = Sample(1.0, network_receive=10.6, network_transmit=0.2, disk_read=1e9 + 0.7, network_errors=0.2)
    expected = Sample(1.0, network_receive=11.0, network_transmit=0.0, disk_read=1e9 + 1, network_errors=0.2)
    assert quantize_sample(sample) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), None])
def test_quantize_sample_drops_values_that_are_not_finite(value: float | None) -> None:
    assert quantize_sample(Sample(1.0, cpu_usage=value, disk_read=value)) == Sample(1.0)


def test_quantize_sample_is_idempotent() -> None:
    sample = quantize_sample(Sample(1.0, cpu_usage=1 / 3, disk_read=1 / 3))
    assert quantize_sample(sample) == sample

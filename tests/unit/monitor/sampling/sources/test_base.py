"""Ratios of counters of time."""

import pytest

from monitor.sampling.sources.base import time_ratio

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("increase", "seconds", "expected"),
    [(1.0, 5.0, 0.2), (0.0, 5.0, 0.0), (5.4, 5.0, 1.0), (1.9, 1.0, 1.0), (30.0, 5.0, None)],
)
def test_time_ratio_is_clipped_where_reading_takes_time_and_missing_beyond(increase, seconds, expected):
    assert time_ratio(increase, seconds) == expected

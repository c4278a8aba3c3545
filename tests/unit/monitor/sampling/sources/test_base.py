"""Rates of counters."""

import pytest

from monitor.sampling.sources.base import per_second

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("previous", "current", "seconds", "expected"),
    [(10, 30, 5.0, 4.0), (10, 10, 5.0, 0.0), (30, 10, 5.0, None), (10, 30, 0.0, None)],
)
def test_per_second_is_missing_for_decreased_counter_or_no_time(previous, current, seconds, expected):
    assert per_second(previous, current, seconds) == expected

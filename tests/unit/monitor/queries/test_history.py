"""Time slots and periods of the recent history."""

import numpy as np
import pytest

from monitor.queries.history import contiguous_periods, slot_length

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("wanted", "interval", "length"), [(60, 5, 60), (61, 5, 120), (1, 5, 5), (1, 7, 10), (1e9, 5, 86400)]
)
def test_slot_length_is_the_next_round_one(wanted, interval, length):
    assert slot_length(wanted, interval) == length


@pytest.mark.parametrize(
    ("times", "periods"), [([1.0, 2.0, 3.0, 9.0], ((1.0, 3.0), (9.0, 9.0))), ([5.0], ((5.0, 5.0),)), ([], ())]
)
def test_contiguous_periods_splits_at_gaps(times, periods):
    assert contiguous_periods(np.array(times), 2.0) == periods

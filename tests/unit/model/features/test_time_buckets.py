"""Time buckets: width, gaps and bounded size."""

import numpy as np
import pytest

from model.features.time_buckets import TimeBuckets, bucket_width
from model.units import DAY

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("step", "width"), [(5.0, 300.0), (300.0, 300.0), (301.0, 600.0), (3600.0, 3600.0), (4000.0, None)]
)
def test_bucket_width_divides_a_day(step, width):
    assert bucket_width(step) == width
    assert width is None or DAY % width == 0


def extend(buckets, times, load):
    n = len(times)
    terms = np.rint(np.array(load, float)[:, None]).astype(np.int64)
    high = (np.array(load) >= 1).astype(float)
    return buckets.extend(np.array(times, float), terms, np.ones((n, 1), bool), np.array(load, float), high)


def test_extend_returns_bucket_numbers_and_sums_by_bucket():
    buckets = TimeBuckets(1, 300.0)
    assert extend(buckets, [0, 100, 300, 900], [2, 3, 4, 5]).tolist() == [0, 0, 1, 3]
    assert buckets.sums[:, 0].tolist() == [5, 4, 0, 5]
    assert buckets.counts[:, 0].tolist() == [2, 1, 0, 1]
    assert buckets.max_index[[0, 1, 3]].tolist() == [3, 4, 5]
    assert np.isnan(buckets.max_index[2])
    assert buckets.high.tolist() == [True, True, False, True]


def test_extend_by_single_rows_equals_extend_by_many():
    times = [0, 100, 300, 900, 910, 5000]
    load = [0, 2, 1, 0, 3, 0]
    together = TimeBuckets(1, 300.0)
    numbers = extend(together, times, load)
    single = TimeBuckets(1, 300.0)
    assert [int(extend(single, [t], [x])[0]) for t, x in zip(times, load, strict=True)] == numbers.tolist()
    assert np.array_equal(single.sums, together.sums)
    assert np.array_equal(single.max_index, together.max_index, equal_nan=True)


def test_gap_of_years_is_shortened():
    buckets = TimeBuckets(1, 300.0)
    extend(buckets, [0.0], [1])
    extend(buckets, [3e8], [1])
    assert len(buckets.sums) < 3000


def test_drop_old_keeps_numbers_and_recent_buckets():
    buckets = TimeBuckets(1, 300.0)
    numbers = extend(buckets, (np.arange(5000) * 300.0).tolist(), np.arange(5000).tolist())
    buckets.drop_old()
    assert buckets.oldest > 2000
    assert buckets.newest == numbers[-1] == 4999
    assert buckets.sums[0, 0] == buckets.oldest

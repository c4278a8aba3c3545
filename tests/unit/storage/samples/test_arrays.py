"""Arrays of samples."""

from __future__ import annotations

import numpy as np
import pytest

from storage import Database, Sample, SampleRepository
from storage.samples.arrays import fetch_numbers, select_samples, with_nan

pytestmark = pytest.mark.unit


def test_rows_are_fetched_as_numbers_with_infinity_for_missing_values(database: Database) -> None:
    SampleRepository(database).append_many([Sample(2.0, cpu_usage=0.5), Sample(1.0)])
    with database.reading() as connection:
        known = fetch_numbers(connection, select_samples(("cpu_usage",)), 4)
        unknown = fetch_numbers(connection, select_samples(("cpu_usage",)), -1)
    assert known.tolist() == unknown.tolist() == [1.0, np.inf, 2.0, 0.5]
    np.testing.assert_array_equal(with_nan(known.reshape(2, 2)), [[1.0, np.nan], [2.0, 0.5]])

"""Arrays of samples."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from storage import Database, Sample, SampleRepository
from storage.samples.arrays import ArrayBuffer, fetch_numbers, select_samples, with_nan
from tests.postgresql import ON_SQLITE

pytestmark = pytest.mark.unit


def test_rows_are_fetched_as_numbers_with_infinity_for_missing_values(database: Database) -> None:
    SampleRepository(database).append_many([Sample(2.0, cpu_usage=0.5), Sample(1.0)])
    with database.reading() as connection:
        known = fetch_numbers(connection, select_samples(("cpu_usage",)), database.damaged_rows, 2, 2)
        unknown = fetch_numbers(connection, select_samples(("cpu_usage",)), database.damaged_rows, 2)
    assert known.tolist() == unknown.tolist() == [[1.0, np.inf], [2.0, 0.5]]
    np.testing.assert_array_equal(with_nan(known), [[1.0, np.nan], [2.0, 0.5]])


@ON_SQLITE
def test_chunks_end_after_a_sample_at_infinity(database: Database) -> None:
    repository = SampleRepository(database)
    repository.append_many([Sample(1.0, cpu_usage=0.5)])
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE samples SET at = 9e999")
    assert [len(part) for part in islice(repository.chunks(0), 3)] == [1]


@ON_SQLITE
def test_rows_of_another_type_are_left_out_and_counted(database: Database) -> None:
    repository = SampleRepository(database)
    repository.append_many([Sample(float(at), cpu_usage=0.5) for at in range(1, 7)])
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE samples SET cpu_usage = 'high' WHERE at = 2")
        connection.exec_driver_sql("UPDATE samples SET cpu_usage = x'00' WHERE at = 3")
        connection.exec_driver_sql("UPDATE samples SET at = 'never' WHERE at = 4")
        connection.exec_driver_sql("UPDATE samples SET cpu_usage = 'high' WHERE at = 6")
    for _ in range(2):
        assert repository.between(0, 9, ("cpu_usage",)).tolist() == [[1.0, 0.5], [5.0, 0.5]]
        assert [row[0] for part in repository.chunks(0, 1) for row in part] == [1.0, 5.0]
        assert [row[0] for part in repository.chunks(0, 4) for row in part] == [1.0, 5.0]
        assert database.damaged_rows.counts() == {"samples": 3}
    assert repository.last() == Sample(5.0, cpu_usage=0.5)
    assert (repository.oldest_at(), repository.thinned_times(0, 9, 1).tolist()) == (1.0, [1.0, 2.0, 3.0, 5.0, 6.0])
    times = np.array([2.0, 5.0])
    repository.merge(times, np.array([[0.75], [0.25]]), ("cpu_usage",))
    assert repository.between(1, 5, ("cpu_usage",)).tolist() == [[2.0, 0.75], [5.0, 0.5]]


@pytest.mark.parametrize("sizes", [(), (0,), (3,), (1, 2, 3, 40, 0, 5)])
def test_array_buffer_joins_its_parts(sizes: tuple[int, ...]) -> None:
    buffer = ArrayBuffer(2)
    parts = [np.full((size, 2), float(number)) for number, size in enumerate(sizes)]
    for part in parts:
        buffer.append(part)
    np.testing.assert_array_equal(buffer.take(), np.concatenate([np.empty((0, 2)), *parts]))
    assert buffer.rows == sum(sizes)

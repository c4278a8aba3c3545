"""Merging of imported rows into stored samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import Compactor, Database, Sample, SampleRepository, open_database
from storage.samples.merge import KEYS_PER_QUERY, merge_rows

pytestmark = pytest.mark.unit

FIELDS = ("cpu_usage", "disk_read")
NAN = np.nan


def merge(database: Database, times: list[float], values: list[list[float]], *, replace: bool = False):
    with database.writing() as connection:
        return merge_rows(connection, 1, np.array(times), np.array(values), FIELDS, replace=replace)


def test_merge_inserts_fills_and_keeps(database: Database) -> None:
    repository = SampleRepository(database)
    repository.append_many([Sample(1.0, cpu_usage=0.5, memory_usage=0.9), Sample(2.0, cpu_usage=0.5, disk_read=7.0)])
    result = merge(database, [1.0, 2.0, 3.0], [[0.1, 3.4], [0.1, NAN], [NAN, 5.0]])
    assert result.is_stored.tolist() == [True, True, False]
    assert result.written.tolist() == [[False, True], [False, False], [False, True]]
    assert not result.overwritten.any()
    np.testing.assert_array_equal(result.values, [[0.5, 3.0], [0.5, 7.0], [NAN, 5.0]])
    np.testing.assert_array_equal(repository.between(0, 9, FIELDS)[:, 1:], result.values)
    assert repository.last(until=1.0).memory_usage == 0.9


def test_merge_replaces_different_values_only(database: Database) -> None:
    SampleRepository(database).append(Sample(1.0, cpu_usage=0.5, disk_read=7.0))
    result = merge(database, [1.0], [[0.5, 8.0]], replace=True)
    assert result.overwritten.tolist() == [[False, True]]
    assert merge(database, [1.0], [[NAN, NAN]], replace=True).written.tolist() == [[False, False]]
    assert SampleRepository(database).last() == Sample(1.0, cpu_usage=0.5, disk_read=8.0)


def test_merge_sees_the_samples_of_its_host_only(database: Database) -> None:
    SampleRepository(database, host_id=2).append(Sample(1.0, cpu_usage=0.5))
    assert not merge(database, [1.0], [[0.1, NAN]]).is_stored.any()


def test_merge_looks_up_more_times_than_one_query_takes(database: Database) -> None:
    times = [float(at) for at in range(2 * KEYS_PER_QUERY + 3)]
    values = [[0.5, NAN]] * len(times)
    assert not merge(database, times, values).is_stored.any()
    assert merge(database, times, values).is_stored.all()


CELLS = st.one_of(st.just(NAN), st.sampled_from([0.0, 1.0, 2.0]))
ROWS = st.dictionaries(st.integers(0, 5), st.tuples(CELLS, CELLS), min_size=1)


@given(before=ROWS, after=ROWS, replace=st.booleans())
def test_merge_equals_a_merge_of_dictionaries(before, after, replace) -> None:
    expected = dict(before)
    for at, row in after.items():
        stored = expected.get(at, (NAN, NAN))
        new = [v if not np.isnan(v) and (replace or np.isnan(s)) else s for v, s in zip(row, stored, strict=True)]
        expected[at] = tuple(new)
    with open_database("sqlite://") as database:
        for rows, overwrites in ((before, False), (after, replace)):
            merge(database, list(map(float, rows)), [list(row) for row in rows.values()], replace=overwrites)
        table = SampleRepository(database).between(-1, 9, FIELDS)
    np.testing.assert_array_equal(table, [[at, *expected[at]] for at in sorted(expected)])


def test_repeated_rows_leave_a_block_as_it_is(database: Database) -> None:
    repository = SampleRepository(database)
    repository.append_many(Sample(3600.0 + second, cpu_usage=0.5) for second in range(5))
    assert Compactor(database).compact_next("samples", 0.0, 7200.0) is not None
    result = merge(database, [3600.0, 3602.0], [[0.5, NAN], [0.25, NAN]])
    assert (result.is_stored.tolist(), result.written.any()) == ([True, True], False)
    assert rows_in_table(database) == 0
    merge(database, [3602.0], [[0.25, NAN]], replace=True)
    assert rows_in_table(database) == 5
    assert repository.between(0.0, 7200.0, ("cpu_usage",))[:, 1].tolist() == [0.5, 0.5, 0.25, 0.5, 0.5]


def rows_in_table(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM samples").scalar_one())

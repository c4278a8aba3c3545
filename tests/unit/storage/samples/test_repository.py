"""Sample repository."""

from __future__ import annotations

import math
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import SAMPLE_FIELDS, Database, Sample, SampleRepository, open_database
from storage.records import BYTE_RATE_FIELDS

pytestmark = pytest.mark.unit

FULL = Sample(
    1000.0, **{name: round((i + 1) / 3, 6) for i, name in enumerate(SAMPLE_FIELDS) if name not in BYTE_RATE_FIELDS}
)


@pytest.fixture
def repository(database: Database) -> SampleRepository:
    return SampleRepository(database)


def samples_at(*times: float) -> list[Sample]:
    return [Sample(at, cpu_usage=at / 1e6) for at in times]


def stored_times(repository: SampleRepository) -> list[float]:
    return repository.between(-np.inf, np.inf, ())[:, 0].tolist()


def test_append_stores_a_sample_exactly(repository: SampleRepository) -> None:
    repository.append(FULL)
    assert repository.last() == FULL


def test_append_keeps_missing_values_apart_from_zero(repository: SampleRepository) -> None:
    repository.append(Sample(5.5, cpu_usage=0.0))
    assert repository.last() == Sample(5.5, cpu_usage=0.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_append_stores_values_that_are_not_finite_as_missing(repository: SampleRepository, value: float) -> None:
    repository.append(Sample(1.0, cpu_usage=value, disk_read=value))
    assert repository.last() == Sample(1.0)


def test_append_returns_the_stored_time(repository: SampleRepository) -> None:
    assert repository.append(Sample(12.25)) == 12.25


def test_append_moves_a_sample_whose_time_exists(repository: SampleRepository) -> None:
    samples = [Sample(7.0, cpu_usage=usage) for usage in (0.1, 0.2, 0.3)]
    assert [repository.append(sample) for sample in samples] == [7.0, 7.001, 7.002]
    assert repository.between(0, 10, ["cpu_usage"])[:, 1].tolist() == [0.1, 0.2, 0.3]


def test_append_moves_a_sample_to_the_first_free_millisecond(repository: SampleRepository) -> None:
    repository.append_many(samples_at(7.0, 7.0005, 7.001, 7.0015, 7.003))
    assert repository.append(Sample(7.0)) == 7.002


def test_append_many_moves_samples_by_the_same_rule(repository: SampleRepository) -> None:
    repository.append(Sample(2.0, cpu_usage=0.5))
    repository.append_many(samples_at(1.0, 2.0, 2.0, 3.0))
    assert stored_times(repository) == [1.0, 2.0, 2.001, 2.002, 3.0]
    assert repository.between(1, 2, ["cpu_usage"])[0, 1] == 0.5


def test_append_many_accepts_no_samples(repository: SampleRepository) -> None:
    repository.append_many(iter(()))
    assert repository.count() == 0


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_insert_missing_keeps_stored_samples(repository: SampleRepository, batch: int) -> None:
    repository.append(Sample(2.0, cpu_usage=0.9))
    table = np.full((4, 1 + len(SAMPLE_FIELDS)), np.nan)
    table[:, 0] = [1.0, 2.0, 3.0, 3.0]
    table[:, 1] = [0.1, 0.2, 0.3, 0.4]
    assert repository.insert_missing(table, batch) == 2
    assert repository.between(0, 9, ["cpu_usage"]).tolist() == [[1.0, 0.1], [2.0, 0.9], [3.0, 0.3]]


def test_empty_repository_has_no_samples(repository: SampleRepository) -> None:
    assert (repository.last(), repository.oldest_at(), repository.count()) == (None, None, 0)
    assert repository.between(0, 10).shape == (0, 1 + len(SAMPLE_FIELDS))


def test_last_ignores_samples_after_a_time(repository: SampleRepository) -> None:
    repository.append_many(samples_at(1.0, 2.0, 3.0))
    assert repository.last(until=2.5) == samples_at(2.0)[0]


def test_between_excludes_start_and_includes_end(repository: SampleRepository) -> None:
    repository.append_many(samples_at(3.0, 1.0, 2.0, 4.0))
    assert repository.between(1.0, 3.0)[:, 0].tolist() == [2.0, 3.0]


def test_between_returns_the_requested_fields_in_order_with_nan_for_missing(repository: SampleRepository) -> None:
    repository.append_many([Sample(1.0, cpu_usage=0.5), Sample(2.0, disk_busy=0.25)])
    values = repository.between(0, 9, ["disk_busy", "cpu_usage"])
    np.testing.assert_array_equal(values, [[1.0, np.nan, 0.5], [2.0, 0.25, np.nan]])
    assert values.dtype == np.float64


def test_between_replaces_missing_values_beyond_the_first_chunk(repository: SampleRepository) -> None:
    repository.append_many(samples_at(*range(1, 20_001)))
    values = repository.between(0, 1e9, ["cpu_usage", "pressure_io"])
    assert np.isnan(values[:, 2]).all()
    assert not np.isnan(values[:, :2]).any()


def test_between_without_fields_returns_times(repository: SampleRepository) -> None:
    repository.append_many(samples_at(1.0, 2.0))
    assert repository.between(0, 9, ()).tolist() == [[1.0], [2.0]]


def test_between_refuses_unknown_fields(repository: SampleRepository) -> None:
    with pytest.raises(ValueError, match="no such metric: at, weather"):
        repository.between(0, 1, ["weather", "cpu_usage", "at"])


def test_bucket_means_are_nan_for_empty_buckets(repository: SampleRepository) -> None:
    repository.append_many([Sample(at, cpu_usage=usage) for at, usage in ((0.0, 0.1), (9.0, 0.3), (25.0, 0.5))])
    means = repository.bucket_means(0.0, 10.0, 3)[:, SAMPLE_FIELDS.index("cpu_usage")]
    np.testing.assert_allclose(means, [0.2, np.nan, 0.5])


def test_repository_does_not_see_other_hosts(database: Database) -> None:
    first = SampleRepository(database)
    second = SampleRepository(database, host_id=2)
    first.append(Sample(1.0, cpu_usage=0.1))
    assert second.append(Sample(1.0, cpu_usage=0.2)) == 1.0
    assert first.purge(9.0) == 1
    assert (first.count(), second.count(), second.last()) == (0, 1, Sample(1.0, cpu_usage=0.2))


def test_count_starts_after_a_time(repository: SampleRepository) -> None:
    repository.append_many(samples_at(1.0, 2.0, 3.0, 4.0))
    assert repository.count() == 4
    assert repository.count(since=2.0) == 2


def test_thinned_times_skip_dense_samples_and_keep_sparse_ones(repository: SampleRepository) -> None:
    repository.append_many(samples_at(*range(30), 100.0, 200.0, 209.0, 211.0))
    assert repository.thinned_times(-1.0, 1e9, 10.0).tolist() == [0, 10, 20, 29, 100, 200, 209, 211]
    assert repository.thinned_times(0.0, 15.0, 10.0).tolist() == [1, 11, 15]
    assert repository.thinned_times(300.0, 400.0, 10.0).tolist() == []


@pytest.mark.parametrize("batch", [1, 3, 4, 5, 100])
def test_purge_deletes_older_samples_in_batches_of_any_size(repository: SampleRepository, batch: int) -> None:
    repository.append_many(samples_at(*range(10)))
    assert repository.purge(4.0, batch=batch) == 4
    assert repository.oldest_at() == 4.0


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.0, 100.0), (30.0, 70.0), (95.0, 5.0), (100.0, 0.0), (101.0, -math.inf)]
)
def test_start_of_newest_is_an_age_for_samples_of_any_distance(
    repository: SampleRepository, seconds: float, expected: float
) -> None:
    repository.append_many(samples_at(*range(0, 60, 15), *range(60, 100)))
    assert repository.start_of_newest(seconds, until=100.0, max_gap=20.0) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(1.0, 49.0), (5.0, 45.0), (20.0, 30.0), (60.0, -math.inf)])
def test_start_of_newest_does_not_count_a_jump_of_the_clock(
    repository: SampleRepository, seconds: float, expected: float
) -> None:
    repository.append_many(samples_at(*range(51)))
    assert repository.start_of_newest(seconds, until=1e9, max_gap=20.0) == expected


@pytest.mark.parametrize(("rows", "expected"), [(0, 90.0), (11, 90.0), (12, 89.0), (101, 0.0), (102, -math.inf)])
def test_start_of_newest_keeps_a_number_of_rows(repository: SampleRepository, rows: int, expected: float) -> None:
    repository.append_many(samples_at(*range(101), 1e6))
    assert repository.start_of_newest(10.0, until=100.0, max_gap=20.0, min_rows=rows) == expected


def test_start_of_newest_ignores_samples_of_the_future(repository: SampleRepository) -> None:
    repository.append_many(samples_at(*range(51), 1e9))
    assert repository.start_of_newest(20.0, until=50.0, max_gap=20.0) == 30.0


@given(
    steps=st.lists(st.floats(1e-3, 30.0), min_size=1, max_size=40),
    seconds=st.floats(0.0, 300.0),
    start=st.sampled_from([0.0, 1.8e9]),
)
@settings(max_examples=40, deadline=None)
def test_start_of_newest_is_the_age_without_long_gaps(steps: list[float], seconds: float, start: float) -> None:
    with open_database("sqlite://") as database:
        repository = SampleRepository(database)
        times = [start, *(start + sum(steps[: i + 1]) for i in range(len(steps)))]
        repository.append_many(samples_at(*times))
        result = repository.start_of_newest(seconds, until=times[-1], max_gap=30.001)
    expected = times[-1] - seconds
    assert result == pytest.approx(expected, abs=1e-5) or (result == -math.inf and expected < start + 1e-5)


def test_append_by_several_threads_loses_no_sample(database_in_file: Database) -> None:
    repository = SampleRepository(database_in_file)
    threads = [threading.Thread(target=lambda: [repository.append(FULL) for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert repository.count() == 100
    assert repository.last() == replace(FULL, at=1000.099)


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_chunks_read_everything_from_a_time_on_whatever_its_gaps(repository: SampleRepository, rows: int) -> None:
    repository.append_many([Sample(0.0, cpu_usage=0.5), Sample(1.0), Sample(1.8e9, cpu_usage=0.25)])
    chunks = list(repository.chunks(-np.inf, rows))
    assert max(map(len, chunks)) <= rows
    assert np.concatenate(chunks)[:, 0].tolist() == [0.0, 1.0, 1.8e9]
    np.testing.assert_array_equal(np.concatenate(chunks)[:, 1], [0.5, np.nan, 0.25])
    assert [chunk[0, 0] for chunk in repository.chunks(1.0, 1)] == [1.0, 1.8e9]


def test_chunks_of_an_empty_repository_are_none(repository: SampleRepository) -> None:
    assert list(repository.chunks(0.0)) == []


def test_at_times_returns_the_samples_with_these_times(repository: SampleRepository) -> None:
    repository.append_many(samples_at(1.0, 2.0, 3.0))
    assert repository.at_times(np.array([3.0, 1.0, 5.0]))[:, 0].tolist() == [1.0, 3.0]
    assert repository.at_times(np.array([5.0])).shape == (0, 1 + len(SAMPLE_FIELDS))


def test_range_of_samples_is_counted_and_deleted(repository: SampleRepository) -> None:
    repository.append_many(samples_at(1.0, 2.0, 3.0))
    assert repository.count_between(2.0, 3.0) == 2
    assert repository.purge_between(2.0, 3.0) == 2
    assert stored_times(repository) == [1.0]

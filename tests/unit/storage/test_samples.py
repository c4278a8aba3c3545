"""The history of samples."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from storage import SAMPLE_FIELDS, Database, Sample, SampleRepository, open_database
from storage.records import BYTE_RATE_FIELDS

pytestmark = pytest.mark.unit

FULL = Sample(1000.0, **{name: (i + 1) / 3 for i, name in enumerate(SAMPLE_FIELDS) if name not in BYTE_RATE_FIELDS})


@pytest.fixture
def store(database: Database) -> SampleRepository:
    return SampleRepository(database)


def at(*moments: float) -> list[Sample]:
    return [Sample(moment, cpu_usage=moment / 1e6) for moment in moments]


def moments(store: SampleRepository) -> list[float]:
    return store.between(-np.inf, np.inf, ())[:, 0].tolist()


def test_a_sample_comes_back_exactly(store: SampleRepository) -> None:
    store.append(FULL)
    assert store.last() == FULL


def test_a_value_that_is_missing_stays_missing(store: SampleRepository) -> None:
    store.append(Sample(5.5, cpu_usage=0.0))
    assert store.last() == Sample(5.5, cpu_usage=0.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_a_number_is_missing(store: SampleRepository, value: float) -> None:
    store.append(Sample(1.0, cpu_usage=value, disk_read=value))
    assert store.last() == Sample(1.0)


def test_byte_rates_are_stored_whole_and_error_rates_exactly(store: SampleRepository) -> None:
    store.append(Sample(1.0, network_receive=10.6, network_transmit=0.2, disk_read=1e9 + 0.7, network_errors=0.2))
    stored = Sample(1.0, network_receive=11.0, network_transmit=0.0, disk_read=1e9 + 1, network_errors=0.2)
    assert store.last() == stored


def test_an_empty_history_has_no_ends(store: SampleRepository) -> None:
    assert (store.last(), store.oldest_at(), store.count()) == (None, None, 0)
    assert store.between(0, 10).shape == (0, 1 + len(SAMPLE_FIELDS))


def test_append_says_when_the_sample_is_stored(store: SampleRepository) -> None:
    assert store.append(Sample(12.25)) == 12.25


def test_a_taken_moment_moves_the_new_sample_and_keeps_the_old_one(store: SampleRepository) -> None:
    first, second, third = (Sample(7.0, cpu_usage=usage) for usage in (0.1, 0.2, 0.3))
    assert [store.append(one) for one in (first, second, third)] == [7.0, 7.001, 7.002]
    assert store.between(0, 10, ["cpu_usage"])[:, 1].tolist() == [0.1, 0.2, 0.3]


def test_a_sample_moves_to_the_first_gap(store: SampleRepository) -> None:
    store.append_many(at(7.0, 7.0005, 7.001, 7.0015, 7.003))
    assert store.append(Sample(7.0)) == 7.002


def test_samples_appended_together_move_by_the_same_rule(store: SampleRepository) -> None:
    store.append(Sample(2.0, cpu_usage=0.5))
    store.append_many(at(1.0, 2.0, 2.0, 3.0))
    assert moments(store) == [1.0, 2.0, 2.001, 2.002, 3.0]
    assert store.between(1, 2, ["cpu_usage"])[0, 1] == 0.5


def test_appending_nothing_is_fine(store: SampleRepository) -> None:
    store.append_many(iter(()))
    assert store.count() == 0


def test_between_leaves_out_its_start_and_takes_in_its_end(store: SampleRepository) -> None:
    store.append_many(at(3.0, 1.0, 2.0, 4.0))
    assert store.between(1.0, 3.0)[:, 0].tolist() == [2.0, 3.0]


def test_between_gives_the_fields_in_the_order_asked_for_with_nan_for_missing(store: SampleRepository) -> None:
    store.append_many([Sample(1.0, cpu_usage=0.5), Sample(2.0, disk_busy=0.25)])
    expected = [[1.0, np.nan, 0.5], [2.0, 0.25, np.nan]]
    values = store.between(0, 9, ["disk_busy", "cpu_usage"])
    np.testing.assert_array_equal(values, expected)
    assert values.dtype == np.float64


def test_between_marks_missing_values_beyond_the_first_chunk(store: SampleRepository) -> None:
    store.append_many(at(*range(1, 20_001)))
    values = store.between(0, 1e9, ["cpu_usage", "pressure_io"])
    assert np.isnan(values[:, 2]).all()
    assert not np.isnan(values[:, :2]).any()


def test_between_without_fields_gives_the_times_alone(store: SampleRepository) -> None:
    store.append_many(at(1.0, 2.0))
    assert store.between(0, 9, ()).tolist() == [[1.0], [2.0]]


def test_an_unknown_field_is_refused(store: SampleRepository) -> None:
    with pytest.raises(ValueError, match="no such metric: at, weather"):
        store.between(0, 1, ["weather", "cpu_usage", "at"])


def test_hosts_do_not_see_each_other(database: Database) -> None:
    here, there = SampleRepository(database), SampleRepository(database, host_id=2)
    here.append(Sample(1.0, cpu_usage=0.1))
    assert there.append(Sample(1.0, cpu_usage=0.2)) == 1.0
    assert here.purge(9.0) == 1
    assert (here.count(), there.count(), there.last()) == (0, 1, Sample(1.0, cpu_usage=0.2))


def test_count_starts_after_a_moment_and_stops_at_a_limit(store: SampleRepository) -> None:
    store.append_many(at(1.0, 2.0, 3.0, 4.0))
    assert [store.count(), store.count(since=2.0), store.count(limit=3), store.count(0.0, 2)] == [4, 2, 3, 2]


@pytest.mark.parametrize("batch", [1, 3, 4, 5, 100])
def test_purge_deletes_what_is_older_whatever_the_batch(store: SampleRepository, batch: int) -> None:
    store.append_many(at(*range(10)))
    assert store.purge(4.0, batch=batch) == 4
    assert store.oldest_at() == 4.0


@pytest.mark.parametrize(("keep", "left"), [(0, 0), (1, 1), (4, 4), (10, 10), (11, 10)])
def test_purge_spares_the_newest_rows_when_the_clock_jumps_ahead(
    store: SampleRepository, keep: int, left: int
) -> None:
    store.append_many(at(*range(10)))
    assert store.purge(1e12, keep_newest=keep, batch=3) == 10 - left
    assert moments(store) == list(range(10))[10 - left :]


def test_threads_lose_nothing_to_each_other(tmp_path: Path) -> None:
    with open_database(f"sqlite:///{tmp_path}/x.db") as database:
        store = SampleRepository(database)
        threads = [threading.Thread(target=lambda: [store.append(FULL) for _ in range(25)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.count() == 100
        assert store.last() == replace(FULL, at=1000.099)

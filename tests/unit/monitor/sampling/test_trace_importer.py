"""Trace importer: added, filled, replaced and repeated rows."""

import numpy as np
import pytest

from monitor.sampling.trace_importer import BATCH_TIMES, ImportCounts, import_rows, simulate_import
from monitor.sampling.trace_reader import TraceRows, TraceStatistics
from storage import Sample, SampleRepository, open_database

pytestmark = pytest.mark.unit

NAN = np.nan


@pytest.fixture
def repository():
    with open_database("sqlite://") as database:
        yield SampleRepository(database)


@pytest.fixture
def scratch():
    with open_database("sqlite://") as database:
        yield SampleRepository(database)


def trace_rows(*rows, columns=("cpu_usage", "memory_usage")):
    table = np.array(rows, dtype=float).reshape(-1, 1 + len(columns))
    return TraceRows(columns=columns, times=table[:, 0], values=table[:, 1:], counts=TraceStatistics(rows=len(table)))


def stored(repository, *fields):
    return repository.between(-1, np.inf, fields or ("cpu_usage", "memory_usage")).tolist()


def test_second_file_with_another_metric_fills_the_stored_rows(repository):
    cpu = trace_rows((1, 0.2), (2, 0.3), columns=("cpu_usage",))
    memory = trace_rows((1, 0.5), (2, 0.6), (3, 0.7), columns=("memory_usage",))
    assert import_rows(repository, cpu) == ImportCounts(added=2)
    assert import_rows(repository, memory) == ImportCounts(added=1, filled=2, filled_values=2)
    np.testing.assert_array_equal(stored(repository), [[1, 0.2, 0.5], [2, 0.3, 0.6], [3, NAN, 0.7]])


def test_stored_values_stay_and_conflicts_are_counted(repository):
    repository.append(Sample(1.0, cpu_usage=0.9))
    counts = import_rows(repository, trace_rows((1, 0.1, 0.5), (1, 0.9, NAN), (2, 0.3, NAN)))
    assert counts == ImportCounts(added=1, filled=1, repeated=1, filled_values=1, conflicting=1)
    np.testing.assert_array_equal(stored(repository), [[1, 0.9, 0.5], [2, 0.3, NAN]])


def test_replacing_overwrites_values_but_not_by_missing_ones(repository):
    repository.append_many([Sample(1.0, cpu_usage=0.9, memory_usage=0.5), Sample(2.0, cpu_usage=0.3)])
    rows = trace_rows((1, 0.1, NAN), (2, 0.3, NAN), (1, 0.2, NAN))
    counts = import_rows(repository, rows, replace=True)
    assert counts == ImportCounts(replaced=1, repeated=2, replaced_values=1, conflicting=1)
    np.testing.assert_array_equal(stored(repository), [[1, 0.1, 0.5], [2, 0.3, NAN]])


def test_rows_without_a_value_are_not_stored_and_do_not_block_others(repository):
    assert import_rows(repository, trace_rows((1, NAN, NAN), (2, NAN, NAN))) == ImportCounts(without_value=2)
    assert repository.count() == 0
    assert import_rows(repository, trace_rows((1, 0.5, NAN), (2, NAN, 0.6))) == ImportCounts(added=2)


def test_rows_of_one_time_are_merged(repository):
    counts = import_rows(repository, trace_rows((5, NAN, 0.5), (1, 0.1, 0.1), (5, 0.2, 0.9), (5, 0.3, NAN)))
    assert counts == ImportCounts(added=2, filled=1, repeated=1, filled_values=1, conflicting=2)
    assert stored(repository) == [[1, 0.1, 0.1], [5, 0.2, 0.5]]


def test_many_rows_in_any_order_are_stored_in_batches(repository):
    rows = 2 * BATCH_TIMES + 5
    times = np.random.default_rng(0).permutation(rows)
    counts = import_rows(repository, trace_rows(*((at, at / 1e4, 0.5) for at in times)))
    assert counts == ImportCounts(added=rows)
    assert stored(repository, "cpu_usage") == [[at, at / 1e4] for at in range(rows)]


def test_byte_rates_are_repeated_although_they_are_stored_rounded(repository):
    rows = trace_rows((1, 1234.5678), columns=("disk_read",))
    assert import_rows(repository, rows) == ImportCounts(added=1)
    assert import_rows(repository, rows) == ImportCounts(repeated=1)
    assert import_rows(repository, rows, replace=True) == ImportCounts(repeated=1)


@pytest.mark.parametrize("replace", [False, True])
def test_simulation_counts_like_the_import_and_changes_nothing(repository, scratch, replace):
    repository.append_many([Sample(1.0, cpu_usage=0.9), Sample(3.0, memory_usage=0.5)])
    before = stored(repository)
    files = [trace_rows((1, 0.1, 0.2), (2, 0.3, NAN), (3, 0.4, NAN)), trace_rows((2, NAN, 0.5), (2, 0.1, NAN))]
    simulated = [simulate_import(repository, scratch, rows, replace=replace) for rows in files]
    np.testing.assert_array_equal(stored(repository), before)
    assert simulated == [import_rows(repository, rows, replace=replace) for rows in files]


def test_import_of_no_rows_counts_nothing(repository):
    assert import_rows(repository, trace_rows()) == ImportCounts()


def test_import_names_the_times_with_new_values(repository):
    repository.append_many([Sample(1.0, cpu_usage=0.9), Sample(2.0, cpu_usage=0.3), Sample(9.0, cpu_usage=0.3)])
    changes = []
    rows = trace_rows((1, 0.9, NAN), (2, 0.4, NAN), (3, 0.5, NAN), (9, 0.3, NAN))
    import_rows(repository, rows, replace=True, on_change=lambda *period: changes.append(period))
    assert changes == [(2.0, 3.0)]
    import_rows(repository, rows, replace=True, on_change=lambda *period: changes.append(period))
    assert len(changes) == 1

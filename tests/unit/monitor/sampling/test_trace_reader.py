"""Trace reader: validation of CSV files."""

import gzip

import numpy as np
import pytest

from monitor.errors import MonitorError
from monitor.sampling.trace_reader import (
    CHUNK_ROWS,
    TraceStatistics,
    drop_future_rows,
    read_trace,
    read_trace_chunks,
)
from storage import SAMPLE_FIELDS

pytestmark = pytest.mark.unit

DAY = 86_400.0


@pytest.fixture
def write_file(tmp_path):
    def write(text, name="trace.csv"):
        path = tmp_path / name
        content = text.encode()
        path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
        return path

    return write


@pytest.mark.parametrize("name", ["trace.csv", "trace.csv.gz"])
def test_read_trace_orders_rows_and_drops_repeated_times(write_file, name):
    text = "cpu_usage,timestamp,network_receive\n0.5,300,10\n0.25,100,\n,200,3e6\n0.75,300,11\n"
    trace = read_trace(write_file(text, name))
    assert trace.columns == ("cpu_usage", "network_receive")
    assert trace.times.tolist() == [100.0, 200.0, 300.0]
    np.testing.assert_array_equal(trace.values, [[0.25, np.nan], [np.nan, 3e6], [0.5, 10.0]])
    assert trace.counts == TraceStatistics(rows=4, unordered=2, repeated=1, bad_cells=0)


def test_read_trace_counts_impossible_cells_but_not_nan(write_file):
    text = "timestamp,cpu_usage,disk_read\n1,high,1\n2,-0.1,inf\n3,1.2,-1\n4,nan,5\n\n5,1,1e9\n"
    trace = read_trace(write_file(text))
    assert trace.counts.bad_cells == 5
    assert np.isnan(trace.values[:4, 0]).all()
    assert trace.values[4].tolist() == [1.0, 1e9]


def test_read_trace_ignores_case_space_and_byte_order_mark_of_the_header(write_file):
    trace = read_trace(write_file("\ufeffTimestamp, CPU_usage\n1,0.5\n"))
    assert trace.columns == ("cpu_usage",)


def test_read_trace_accepts_a_header_without_rows(write_file):
    trace = read_trace(write_file("timestamp,cpu_usage\n"))
    assert trace.values.shape == (0, 1)
    assert trace.counts == TraceStatistics()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: .*timestamp"),
        ("time,cpu_usage\n", "line 1: .*timestamp"),
        ("timestamp\n1\n", "line 1: .*timestamp"),
        ("timestamp,cpu_usag\n", "line 1: .*'cpu_usag'.*'cpu_usage'"),
        ("timestamp,cpu_usage,cpu_usage\n", "line 1: .*cpu_usage"),
        ("timestamp,cpu_usage\n1,0.5\n2\n", "line 3: "),
        ("timestamp,cpu_usage\n1,0.5\nyesterday,0.5\n", "line 3: .*'yesterday'"),
        ("timestamp,cpu_usage\n1e15,0.5\n", "line 2: .*'1e15'"),
    ],
)
def test_read_trace_refuses_a_malformed_file_with_its_line(write_file, text, message):
    with pytest.raises(MonitorError, match=message):
        read_trace(write_file(text))


def test_read_trace_names_a_missing_file(tmp_path):
    with pytest.raises(MonitorError, match=r"nowhere\.csv"):
        read_trace(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.csv.gz", gzip.compress(b"timestamp,cpu_usage\n" + b"1,0.5\n" * 5000, mtime=0)[:-40]),
        ("plain.csv.gz", b"timestamp,cpu_usage\n1,0.5\n"),
        ("binary.csv", bytes(range(128, 256))),
    ],
)
def test_read_trace_refuses_an_unreadable_file(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MonitorError, match=name):
        read_trace(tmp_path / name)


def test_read_trace_chunks_yields_all_fields_in_chunks(write_file):
    rows = 2 * CHUNK_ROWS + 5
    path = write_file("timestamp,memory_usage\n" + "".join(f"{i},0.5\n" for i in range(rows)))
    counts = TraceStatistics()
    chunks = list(read_trace_chunks(path, counts))
    assert [chunk.shape for chunk in chunks] == [
        (size, 1 + len(SAMPLE_FIELDS)) for size in (CHUNK_ROWS, CHUNK_ROWS, 5)
    ]
    assert counts.rows == rows
    last = chunks[-1][-1]
    assert (last[0], last[1 + SAMPLE_FIELDS.index("memory_usage")]) == (rows - 1, 0.5)
    assert np.isnan(last).sum() == len(SAMPLE_FIELDS) - 1


def test_drop_future_rows_keeps_one_day_and_counts_the_others():
    counts = TraceStatistics()
    table = np.array([[100.0, 1.0], [100.0 + DAY, 2.0], [101.0 + DAY, 3.0]])
    assert drop_future_rows(table, 100.0, counts)[:, 1].tolist() == [1.0, 2.0]
    assert counts.future == 1


def test_trace_statistics_name_the_counts_above_zero():
    assert str(TraceStatistics()) == "0 rows"
    assert str(TraceStatistics(rows=4, bad_cells=2)) == "4 rows, 2 bad cells"

"""Trace reader: validation of CSV files."""

import gzip
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from monitor.errors import MonitorError
from monitor.sampling.trace_reader import TraceOptions, read_rows, read_trace
from storage import SAMPLE_FIELDS

pytestmark = pytest.mark.unit


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
    counts = trace.counts
    assert (counts.rows, counts.unordered, counts.repeated, counts.bad_cells) == (4, 2, 1, 0)


def test_read_rows_limits_the_size_of_a_file(write_file, monkeypatch):
    monkeypatch.setattr("monitor.sampling.trace_reader.MAX_NUMBERS", 4)
    assert len(read_rows(write_file("timestamp,cpu_usage\n1,0.5\n2,0.5\n")).times) == 2
    with pytest.raises(MonitorError, match="more than 4 times and values"):
        read_rows(write_file("timestamp,cpu_usage\n1,0.5\n2,0.5\n3,0.5\n"))


def test_read_trace_counts_impossible_cells_but_not_nan(write_file):
    text = "timestamp,cpu_usage,disk_read\n1,high,1\n2,-0.1,inf\n3,0x1,-1\n4,nan,5\n\n5,1,1e9\n"
    trace = read_trace(write_file(text))
    assert trace.counts.bad_cells == 5
    assert [(cell.line, cell.column, cell.text) for cell in trace.counts.bad_cell_examples[:2]] == [
        (2, "cpu_usage", "high"),
        (3, "cpu_usage", "-0.1"),
    ]
    assert trace.counts.lines_without_value == [3, 4]
    assert np.isnan(trace.values[:4, 0]).all()
    assert trace.values[4].tolist() == [1.0, 1e9]


def test_read_trace_ignores_case_space_and_byte_order_mark_of_the_header(write_file):
    trace = read_trace(write_file("\ufeffTimestamp, CPU_usage\n1,0.5\n"))
    assert trace.columns == ("cpu_usage",)


def test_read_trace_accepts_a_header_without_rows(write_file):
    trace = read_trace(write_file("timestamp,cpu_usage\n"))
    assert trace.values.shape == (0, 1)
    assert trace.counts.rows == 0


def test_read_trace_merges_the_rows_of_one_time(write_file):
    text = "timestamp,cpu_usage,memory_usage\n2,,0.5\n1,0.1,0.1\n2,0.2,0.9\n2,0.3,0.9\n"
    trace = read_trace(write_file(text))
    assert trace.times.tolist() == [1.0, 2.0]
    assert trace.values.tolist() == [[0.1, 0.1], [0.2, 0.5]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: .*timestamp"),
        ("when,cpu_usage\n", "line 1: .*timestamp"),
        ("timestamp\n1\n", "line 1: .*timestamp"),
        ("timestamp,cpu_usag\n", "line 1: .*'cpu_usag'.*'cpu_usage'"),
        ("timestamp,cpu_usage,cpu_usage\n", "line 1: .*cpu_usage"),
        ("timestamp,cpu_usage\n1,0.5\n2\n", "line 3: "),
        ("timestamp,cpu_usage\n1,0.5\nyesterday,0.5\n", "line 3: .*'yesterday'"),
        ("timestamp,cpu_usage\n1e15,0.5\n", "line 2: .*'1e15'"),
        ("timestamp,cpu_usage\n1,0.5\n\n3,41.5\n", r"line 4: cpu_usage is '41.5'.*--percent"),
        ('timestamp,cpu_usage\n1,0.5\n2,"0.6\n3,0.7\n4,0.8\n', "line 3: a quote"),
        ('timestamp,cpu_usage\n1,0.5\n2,"0.6\n3,0.7\n4,"0.8"\n', "line 3: "),
        ('timestamp,cpu_usage\n1,0.5\n2,"0.6"x\n', "line 3: text after a closing quote"),
        ('timestamp,cpu_usage\n1,"' + "0.5\n" * 60_000, "line 2: a quote"),
        ("timestamp,cpu_usage\n1," + "1" * 200_000 + "\n", "line 2: .*a cell has over 131072 characters"),
        ("timestamp;disk_read\n1;5\n2;1,234\n", "line 3: .*1,234"),
        ("timestamp;disk_read\n1;5\n2;1.234\n", r"line 3: .*1\.234"),
        ("timestamp,cpu_usage,\n1,0.5,\n2,0.5,7\n", "line 3: column 3.*'7'"),
        ("Series,Time,Value\ncpu,1,0.5\n", "line 2: unknown series 'cpu'"),
        ('{"status":"success"}', "line 1: .*Prometheus"),
    ],
)
def test_read_trace_refuses_a_malformed_file_with_its_line(write_file, text, message):
    with pytest.raises(MonitorError, match=message):
        read_trace(write_file(text))


def test_read_trace_names_a_missing_file(tmp_path):
    with pytest.raises(MonitorError, match=r"nowhere\.csv"):
        read_trace(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    "text",
    [
        '\ufeff"timestamp","cpu_usage"\r\n"1795800000","0.5"\r\n',
        "sep=;\ntimestamp;cpu_usage\n1795800000;0,5\n",
        "timestamp\tcpu_usage\n1795800000\t0.5\n",
        "\n\ntimestamp,cpu_usage,\n1795800000000,0.5,\n,,\n",
        "Time,CPU_USAGE\n2026-11-27 17:20:00Z,50%\n",
        '"Series";"Time";"Value"\n"cpu_usage";"2026-11-27T18:20:00+01:00";0,5\n',
        "cpu_usage,timestamp\r0.5,1795800000\r",
    ],
)
def test_read_rows_reads_files_of_other_tools(write_file, text):
    rows = read_rows(write_file(text))
    assert rows.times.tolist() == [1795800000.0]
    assert rows.values[0, rows.columns.index("cpu_usage")] == 0.5
    assert rows.counts.rows == 1


def test_read_rows_follows_the_options(write_file):
    text = "When,CPU,Disk\n2026-11-27 18:20:00,41.5,x\n"
    options = TraceOptions(
        columns={"when": "timestamp", "cpu": "cpu_usage"}, percent=True, zone=ZoneInfo("Europe/Berlin")
    )
    rows = read_rows(write_file(text), options)
    assert (rows.times.tolist(), rows.values.tolist()) == ([1795800000.0], [[0.415]])
    assert (rows.columns, rows.ignored) == (("cpu_usage",), ("Disk",))
    assert rows.names == {"when", "cpu", "disk"}


@pytest.mark.parametrize("values", ["0.5,0.9", "1,0"])
def test_read_rows_refuses_ratios_as_percentages(write_file, values):
    path = write_file(f"timestamp,cpu_usage,memory_usage\n1,{values}\n")
    with pytest.raises(MonitorError, match="no value is above 1"):
        read_rows(path, TraceOptions(percent=True))


def test_read_rows_maps_the_columns_of_influxdb(write_file):
    path = write_file(",result,table,_time,_value,host\n,_result,0,1970-01-01T00:01:40Z,0.5,web1\n")
    rows = read_rows(path, TraceOptions(columns={"_time": "timestamp", "_value": "cpu_usage"}))
    assert (rows.columns, rows.times.tolist(), rows.values.tolist()) == (("cpu_usage",), [100.0], [[0.5]])


def test_read_rows_of_a_long_table_has_one_value_a_row(write_file):
    text = "Series,Time,Value\ncpu_usage,1,0.5\nmemory_usage,1,0.25\ncpu_usage,2,0.75\nmemory_usage,2,bad\n"
    rows = read_rows(write_file(text))
    assert (rows.columns, rows.values.shape) == (SAMPLE_FIELDS, (4, len(SAMPLE_FIELDS)))
    assert np.isnan(rows.values).sum() == 4 * len(SAMPLE_FIELDS) - 3
    assert rows.counts.lines_without_value == [5]
    trace = read_trace(write_file(text))
    assert trace.values[0, [SAMPLE_FIELDS.index("cpu_usage"), SAMPLE_FIELDS.index("memory_usage")]].tolist() == [
        0.5,
        0.25,
    ]


def test_read_rows_refuses_two_series_of_one_field(write_file):
    path = write_file(
        "Series,Time,Value\ncpu_usage,1795800000,0.5\nCPU_usage ,1795800005,0.5\nweb1,1795800010,0.25\n"
    )
    with pytest.raises(MonitorError, match="line 4: series 'cpu_usage' and 'web1' both hold cpu_usage"):
        read_rows(path, TraceOptions(columns={"web1": "cpu_usage"}))


def test_read_rows_refuses_rows_in_the_future(write_file):
    path = write_file("timestamp,cpu_usage\n1000,0.5\n1060,0.5\n4600,0.5\n")
    with pytest.raises(MonitorError, match=r"line 4: timestamp '4600'.*1 h in the future.*time zone"):
        read_rows(path, TraceOptions(now=1000.0))
    assert len(read_rows(path).times) == 3


@pytest.mark.parametrize("stamp", ["1795800000", "2026-11-27T17:20Z"])
def test_read_rows_refuses_timestamps_that_were_rounded_to_the_same(write_file, stamp):
    rows = "".join(f"{stamp},0.{i:03d}\n" for i in range(1000))
    with pytest.raises(MonitorError, match="999 of 1000 rows"):
        read_rows(write_file(f"timestamp,cpu_usage\n{rows}"))


def test_read_rows_refuses_the_days_of_a_spreadsheet(write_file):
    path = write_file("timestamp,cpu_usage\n46354,0.1\n46354.00347,0.2\n46354.00694,0.3\n")
    with pytest.raises(MonitorError, match=r"46354\.00347 .*spreadsheet.*ISO 8601"):
        read_rows(path)


@pytest.mark.parametrize("first", ["1.5", "46354", "1795800000.5"])
def test_read_rows_accepts_seconds_that_are_not_all_days_of_a_spreadsheet(write_file, first):
    rows = read_rows(write_file(f"timestamp,cpu_usage\n{first},0.1\n46355,0.2\n"))
    assert rows.times.tolist() == [float(first), 46355.0]


def test_read_rows_counts_rows_that_are_only_repeated(write_file):
    rows = read_rows(write_file("timestamp,cpu_usage\n" + "1795800000,0.5\n" * 1000))
    assert (rows.counts.rows, rows.counts.repeated) == (1000, 999)

"""Header of trace files."""

import pytest

from monitor.sampling.trace_format.errors import LineError
from monitor.sampling.trace_format.layout import read_layout, series_field, split_cells

pytestmark = pytest.mark.unit


def layout(line, separator="", percent=False, **mapped):
    return read_layout(line, separator, mapped, percent=percent)


def fields(line, **options):
    return [(column.position, column.field) for column in layout(line, **options).columns]


@pytest.mark.parametrize(
    ("line", "separator"),
    [
        ("timestamp,cpu_usage", ","),
        ("timestamp;cpu_usage\n", ";"),
        ("timestamp\tcpu_usage\r\n", "\t"),
        ('"timestamp", "cpu_usage"', ","),
        ("Timestamp , CPU_Usage ", ","),
        ("time,cpu_usage", ","),
    ],
)
def test_layout_finds_separator_and_columns(line, separator):
    header = layout(line)
    assert (header.separator, header.time) == (separator, 0)
    assert fields(line) == [(1, "cpu_usage")]


def test_layout_maps_columns_and_ignores_the_others():
    header = layout("Time;CPU, all;disk;", **{"Time": "timestamp", "CPU, all": "cpu_usage"})
    assert [(column.position, column.field, column.name) for column in header.columns] == [
        (1, "cpu_usage", "CPU, all")
    ]
    assert (header.separator, header.ignored, header.unnamed) == (";", ("disk",), (3,))


def test_long_table_has_series_and_values():
    header = layout('"Series";"Time";"Value"', web1="cpu_usage")
    assert (header.series, header.time, header.value, header.columns) == (0, 1, 2, ())
    assert series_field(header, "web1") == "cpu_usage"
    assert series_field(header, " Memory_Usage ") == "memory_usage"
    with pytest.raises(LineError, match=r"'cpu_usag'.*'cpu_usage'.*--map"):
        series_field(header, "cpu_usag")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "timestamp"),
        ("cpu_usage,memory_usage", "no column timestamp"),
        ("1795800000,0.5", "no header"),
        ("timestamp", "no column except timestamp"),
        ("timestamp,cpu_usag", "'cpu_usag'; did you mean 'cpu_usage'.*--map"),
        ("timestamp,cpu_usage,CPU_usage", "duplicate column cpu_usage"),
        ("timestamp,timestamp,cpu_usage", "duplicate column timestamp"),
        ("timestamp,cpu.total,load.min1", "Glances.*--percent"),
        ('timestamp,"cpu_usage', "quote"),
        ('timestamp,"cpu"_usage', "quote"),
    ],
)
def test_layout_refuses_a_header_that_is_not_certain(line, reason):
    with pytest.raises(LineError, match=reason):
        layout(line)


@pytest.mark.parametrize("name", ["CPU %", "cpu_percent", "cpu pct"])
def test_layout_refuses_a_ratio_named_as_a_percentage(name):
    with pytest.raises(LineError, match=r"percent\? use --percent"):
        layout(f"timestamp,{name}", **{name: "cpu_usage"})
    assert layout(f"timestamp,{name}", percent=True, **{name: "cpu_usage"}).columns[0].name == name


def test_split_cells_reads_quotes():
    assert split_cells('"a ""b""", c,"d,e"\n', ",") == ['a "b"', "c", "d,e"]

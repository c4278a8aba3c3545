"""Cells of trace files."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sampling.metric_catalog import HOST_METRICS
from monitor.sampling.trace_format.cells import MISSING, CellParser, DecimalMarks
from monitor.sampling.trace_format.errors import LineError

pytestmark = pytest.mark.unit


def parser(field="cpu_usage", *, percent=False, marks=None):
    return CellParser(field, field.upper(), percent=percent, marks=marks)


@pytest.mark.parametrize(
    ("field", "cell", "expected"),
    [
        ("cpu_usage", "0.5", 0.5),
        ("cpu_usage", " 5e-1 ", 0.5),
        ("cpu_usage", "1.0005", 1.0),
        ("cpu_usage", "-0.0005", 0.0),
        ("cpu_usage", "12.5%", 0.125),
        ("cpu_usage", "0.8 %", 0.008),
        ("load_per_cpu", "3.5", 3.5),
        ("network_receive", "3e6", 3e6),
    ],
)
def test_parser_returns_the_value_in_the_unit_of_the_field(field, cell, expected):
    assert parser(field)(cell, 2) == expected


@pytest.mark.parametrize(
    ("field", "cell"),
    [
        *(
            ("cpu_usage", cell)
            for cell in ("high", "0,5", "-0.5", "inf", "-inf", "0x1", "1_0", "\u0660", "0.5 s", "--1", "5e")
        ),
        ("network_receive", "12%"),
        ("load_per_cpu", "120%"),
        ("network_receive", "3.7e18"),
        ("network_receive", "-1"),
        ("disk_read", "1.2 kp/s"),
        ("load_per_cpu", "1e9"),
    ],
)
def test_parser_marks_impossible_cells(field, cell):
    assert parser(field)(cell, 2) is None


@pytest.mark.parametrize("cell", [*sorted(MISSING), " NaN ", "NULL"])
def test_parser_returns_nan_for_a_missing_value(cell):
    assert math.isnan(parser()(cell, 2))


@pytest.mark.parametrize("cell", ["1.0011", "2.5", "41.5", "1e300"])
def test_parser_refuses_a_ratio_above_one_and_suggests_percent(cell):
    with pytest.raises(LineError, match=rf"CPU_USAGE is '{cell}'.*percent\? use --percent"):
        parser()(cell, 2)


@pytest.mark.parametrize("cell", ["100.2", "250", "101%"])
def test_parser_refuses_a_percentage_above_100(cell):
    with pytest.raises(LineError, match="above 100 percent"):
        parser(percent=True)(cell, 2)


def test_percentages_are_divided_exactly_and_the_largest_is_kept():
    parse = parser(percent=True)
    assert [parse(cell, 2) for cell in ("0.8", "41.5", "0.1", "100", "100.05", "1e1")] == [
        0.008, 0.415, 0.001, 1.0, 1.0, 0.1,
    ]  # fmt: skip
    assert parse.largest == pytest.approx(1.0005)


def test_option_percent_reads_cells_with_and_without_a_percent_sign():
    parse = parser(percent=True)
    assert [parse(cell, 2) for cell in ("12.5 %", "50", "0", "0.8%")] == [0.125, 0.5, 0.0, 0.008]


def test_option_percent_leaves_rates_and_load_as_they_are():
    assert parser("load_per_cpu", percent=True)("2.5", 2) == 2.5
    assert parser("disk_read", percent=True)("2.5", 2) == 2.5


@pytest.mark.parametrize("cells", [("12%", "0.8"), ("0.8", "12%")])
def test_parser_refuses_a_column_with_and_without_percent_signs(cells):
    parse = parser()
    parse(cells[0], 2)
    with pytest.raises(LineError, match="percent sign"):
        parse(cells[1], 3)


def test_decimal_commas_are_read_where_the_separator_is_none():
    marks = DecimalMarks()
    parse = parser(marks=marks)
    assert [parse(cell, 2) for cell in ("0,125", "1", "3", "1,5e-1") if cell != "3"] == [0.125, 1.0, 0.15]
    marks.check()


@pytest.mark.parametrize("cells", [("0,5", "0.5"), ("0.5", "0,5")])
def test_file_with_decimal_points_and_commas_is_refused(cells):
    parse = parser(marks=DecimalMarks())
    parse(cells[0], 2)
    with pytest.raises(LineError, match="line 2"):
        parse(cells[1], 3)


def test_commas_that_may_separate_thousands_are_refused():
    marks = DecimalMarks()
    parse = parser("disk_read", marks=marks)
    assert [parse(cell, line) for line, cell in enumerate(("7", "1,234", "12,345"), 2)] == [7.0, 1.234, 12.345]
    with pytest.raises(LineError, match="1,234") as error:
        marks.check()
    assert error.value.line == 3


def test_points_that_may_separate_thousands_are_refused():
    marks = DecimalMarks()
    parse = parser("disk_read", marks=marks)
    assert [parse(cell, line) for line, cell in enumerate(("7", "1.234", "12.345"), 2)] == [7.0, 1.234, 12.345]
    with pytest.raises(LineError, match=r"1\.234") as error:
        marks.check()
    assert error.value.line == 3


@pytest.mark.parametrize("cell", ["0.125", "1.5", "1234.567"])
def test_points_are_decimal_marks_if_one_of_them_cannot_separate_thousands(cell):
    marks = DecimalMarks()
    parse = parser("disk_read", marks=marks)
    assert [parse("1.234", 2), parse(cell, 3)] == [1.234, float(cell)]
    marks.check()


@given(
    field=st.sampled_from([metric.field for metric in HOST_METRICS]),
    cell=st.one_of(
        st.text(max_size=12), st.floats().map(repr), st.from_regex(r"-?\d{0,3}[.,]?\d{0,3}%?", fullmatch=True)
    ),
    percent=st.booleans(),
    comma=st.booleans(),
)
def test_parser_returns_a_valid_value_or_refuses_any_text(field, cell, percent, comma):
    metric = next(metric for metric in HOST_METRICS if metric.field == field)
    try:
        value = parser(field, percent=percent, marks=DecimalMarks() if comma else None)(cell, 2)
    except LineError:
        return
    if value is None:
        assert cell.strip(" \t\r\n").lower() not in MISSING
    elif not math.isnan(value):
        assert 0 <= value <= metric.upper_bound


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ("disk_read", "512 B/s", 512.0),
        ("disk_read", "1.20 MB/s", 1.2e6),
        ("disk_read", "3 KiB/s", 3072.0),
        ("network_receive", "8 kb/s", 1000.0),
        ("network_receive", "500 mB/s", 0.5),
        ("network_errors", "1.5 kp/s", 1500.0),
        ("network_errors", "2 c/s", 2.0),
        ("cpu_usage", "12.3%", 0.123),
        ("disk_read", "5 %", None),
        ("disk_read", "5 p/s", None),
        ("cpu_usage", "5 B/s", None),
        ("network_errors", "5 B/s", None),
    ],
)
def test_parser_reads_the_units_of_grafana(field, cell, value):
    assert parser(field)(cell, 2) == value


def test_parser_refuses_a_column_with_units_in_some_cells_only():
    parse = parser("disk_read")
    parse("1.2 MB/s", 2)
    with pytest.raises(LineError, match="some cells have a unit"):
        parse("5", 3)

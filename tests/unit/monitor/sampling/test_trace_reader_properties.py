"""Trace reader and importer: properties that hold for any text."""

import math
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import MonitorError
from monitor.sampling.trace_importer import import_rows
from monitor.sampling.trace_reader import TraceOptions, read_rows, read_trace
from storage import SampleRepository, open_database, quantize_values

pytestmark = pytest.mark.unit

NOW = 1_795_900_000.0

OPTIONS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)

separators = st.sampled_from([",", ";", "\t"])
line_ends = st.sampled_from(["\n", "\r\n"])
quotes = st.booleans()
ratios = st.one_of(
    st.floats(0, 1).map(repr),
    st.floats(0, 1).map("{:.2f}".format),
    st.sampled_from(["", "nan", "0", "1", "1.0004", "high", "-0.5", "0,5", "2.5", "1e-3", "12%"]),
)
rates = st.one_of(st.integers(0, 10**9).map(str), st.sampled_from(["", "-", "1e6", "-5", "1e20", "3.5", "1.2 kB/s"]))
seconds = st.integers(1_795_800_000, 1_795_800_020).map(str)
times = st.one_of(
    seconds,
    st.sampled_from(
        ["0", "1000", "1795800000.5", "1795800000123", "2026-11-27T10:00:00Z", "1.76E+09", "", "1795999999"]
    ),
)
clean_ratios = st.one_of(st.floats(0, 1).map(repr), st.sampled_from(["", "nan", "1.0004", "-0.0005", "high", "-0.5"]))


@pytest.fixture
def file(tmp_path):
    return tmp_path / "trace.csv"


def read(file, text):
    """Return the rows of a text, or None if it is refused, with one sentence that names the file."""
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        return read_rows(file, TraceOptions(now=NOW))
    except MonitorError as error:
        message = str(error)
    assert message.startswith(str(file))
    assert "\n" not in message
    assert re.match(r"(, line \d+)?: ", message.removeprefix(str(file)))
    return None


@OPTIONS
@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(file, text):
    read(file, text)


@OPTIONS
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(file, content):
    file.write_bytes(content)
    try:
        read_rows(file)
    except MonitorError as error:
        assert str(file) in str(error)  # noqa: PT017 - refusal is one of two valid outcomes


@OPTIONS
@given(st.text(alphabet='0123456789.,;"\n\r\t -+eE%:TZ', max_size=200))
def test_any_cells_below_a_header_are_accounted_for(file, text):
    rows = read(file, "timestamp,cpu_usage,network_receive\n" + text)
    if rows is not None:
        assert rows.counts.rows == len(rows.times)
        known = rows.values[~np.isnan(rows.values)]
        assert ((known >= 0) & (known <= 1e13)).all()


@st.composite
def tables(draw):
    """Return the text of a table, with its rows as (time, ratio, rate) as written."""
    separator = draw(separators)
    end = draw(line_ends)
    # Half of the tables have nothing for which the whole file is refused.
    cells = (seconds, clean_ratios, rates) if draw(st.booleans()) else (times, ratios, rates)
    rows = draw(st.lists(st.tuples(*cells), max_size=12))
    is_quoted = draw(quotes)

    def line(cells):
        return separator.join(f'"{cell}"' if is_quoted or separator in cell else cell for cell in cells)

    lines = [line(("timestamp", "cpu_usage", "network_receive")), *map(line, rows)]
    return end.join(lines) + end, rows


def number(cell):
    """Return the value that a cell states: NaN for none."""
    try:
        return float(cell.replace(",", ".").removesuffix("%")) / (100 if cell.endswith("%") else 1)
    except ValueError:
        return math.nan


@OPTIONS
@given(tables())
def test_every_value_that_is_read_is_one_of_the_file(file, table):
    text, written = table
    rows = read(file, text)
    if rows is None:
        return
    written = [row for row in written if any(row)]
    assert rows.counts.rows == len(written)
    bad = 0
    for (stamp, *cells), at, values in zip(written, rows.times, rows.values, strict=True):
        assert stamp.startswith(("2026", f"{at:.15g}"[:10]))
        for cell, value in zip(cells, values, strict=True):
            bad += bool(math.isnan(value) and cell not in {"", "nan", "-"})
            # A value differs from the written one by rounding at the bounds only.
            assert math.isnan(value) or abs(value - number(cell)) <= 0.001
    assert rows.counts.bad_cells == bad


@OPTIONS
@given(tables(), st.booleans())
def test_import_accounts_for_every_row_and_stores_only_values_of_the_file(file, table, replace):
    rows = read(file, table[0])
    if rows is None:
        return
    with open_database("sqlite://") as database:
        repository = SampleRepository(database)
        before = np.full((2, 3), np.nan)
        before[:] = [[1_795_800_000.0, 0.75, math.nan], [1_795_800_007.0, math.nan, 7.0]]
        repository.merge(before[:, 0], before[:, 1:], ("cpu_usage", "network_receive"))
        counts = import_rows(repository, rows, replace=replace)
        after = repository.between(-1, NOW, ("cpu_usage", "network_receive"))
        again = import_rows(repository, rows, replace=replace)
    total = counts.added + counts.filled + counts.replaced + counts.repeated + counts.without_value
    assert total == rows.counts.rows
    assert len(after) == 2 + counts.added
    assert (again.added, again.filled, again.replaced) == (0, 0, 0)
    for at, *values in after:
        of_file = quantize_values(rows.values[rows.times == at], ("cpu_usage", "network_receive"))
        possible = np.concatenate([of_file, before[before[:, 0] == at, 1:]])
        for column, value in enumerate(values):
            assert value in possible[:, column] or (math.isnan(value) and np.isnan(possible[:, column]).all())


@OPTIONS
@given(tables())
def test_trace_has_increasing_times_and_the_first_values(file, table):
    rows = read(file, table[0])
    if rows is None:
        return
    trace = read_trace(file)
    assert (np.diff(trace.times) > 0).all()
    for at, values in zip(trace.times, trace.values, strict=True):
        of_time = rows.values[rows.times == at]
        for column, value in enumerate(values):
            known = of_time[~np.isnan(of_time[:, column]), column]
            assert value == known[0] if len(known) else math.isnan(value)

"""Layout of a trace file: separator, columns, and their fields."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from monitor.sampling.metric_catalog import METRIC_BY_FIELD, RATIO_FIELDS
from monitor.sampling.trace_format.errors import LineError
from monitor.sampling.trace_format.foreign_formats import column_hint
from monitor.system.suggestions import suggestion
from storage import SAMPLE_FIELDS

TIME_COLUMN = "timestamp"

TIME_ALIASES = (TIME_COLUMN, "time")
"""Names of the column with the timestamps, the preferred name first."""

LONG_COLUMNS = frozenset({"series", "time", "value"})
"""Columns of a long table, which has one row per series and time, such as an export from Grafana."""

SEPARATORS = (",", ";", "\t")

UNCLOSED_QUOTE = "a quote that begins in this line is not closed in it"

PERCENT_NAMES = ("%", "percent", "pct")
"""Parts of a column name that indicate percentages."""


@dataclass(frozen=True)
class Column:
    """Column of a trace file that contains the values of one field.

    Attributes:
        position: index of the cell in a row.
        field: field of a sample.
        name: name of the column in the file.
    """

    position: int
    field: str
    name: str


@dataclass(frozen=True)
class Layout:
    """Columns of a trace file: a wide table has one column per field, a long table one row per series and time.

    Attributes:
        separator: character between two cells.
        width: number of cells in a row.
        time: index of the timestamp in a row.
        columns: columns with values; empty for a long table.
        series: index of the series name in a row of a long table; -1 for a wide table.
        value: index of the value in a row of a long table; -1 for a wide table.
        fields: field for each series name in lower case, as given with `--map`; empty for a wide table.
        ignored: names of columns that are not read.
        unnamed: indices of columns without a name; their cells must be empty.
        names: names of all columns of a wide table, in lower case; empty for a long table.
    """

    separator: str
    width: int
    time: int
    columns: tuple[Column, ...] = ()
    series: int = -1
    value: int = -1
    fields: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    unnamed: tuple[int, ...] = ()
    names: frozenset[str] = frozenset()


def split_cells(line: str, separator: str) -> list[str]:
    """Return the cells of a line.

    Raises:
        LineError: a quote is not closed, or text follows a closing quote.
    """
    try:
        rows = list(csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise LineError(quote_problem(error)) from error
    return rows[0] if rows else []


def quote_problem(error: csv.Error | None) -> str:
    """Return the message for a line that the CSV reader refuses.

    Args:
        error: error raised by the CSV reader; None if a quoted cell continues in the next line.
    """
    if error is not None and "expected after" in str(error):
        return "text after a closing quote"
    if error is not None and "field limit" in str(error):
        return f"{UNCLOSED_QUOTE}, or a cell has over {csv.field_size_limit()} characters"
    return UNCLOSED_QUOTE


def read_layout(line: str, separator: str, mapped: Mapping[str, str], *, percent: bool) -> Layout:
    """Return the layout that a header line describes.

    Args:
        line: header line.
        separator: separator that a line `sep=` states; empty to detect the separator.
        mapped: mapping from names of columns or series to fields or `timestamp`.
        percent: True if ratios are written as percentages.

    Raises:
        LineError: a quote is not closed; or a column is unknown, duplicate or missing, or named as a percentage.
    """
    lower = {name.lower(): target for name, target in mapped.items()}
    separator = separator or _best_separator(line, lower)
    names = [name.strip() for name in split_cells(line, separator)]
    targets = [lower.get(name.lower(), name.lower()) for name in names]
    if set(targets) >= LONG_COLUMNS and TIME_COLUMN not in targets:
        return _long_layout(targets, separator, lower)
    time = next((targets.index(alias) for alias in TIME_ALIASES if alias in targets), None)
    if time is None:
        raise LineError(_no_time_column(names))
    _check_repetitions(targets)
    columns = []
    ignored = []
    for position, (name, target) in enumerate(zip(names, targets, strict=True)):
        if target in METRIC_BY_FIELD:
            columns.append(Column(position, target, name))
            _check_percent_name(name, target, percent=percent)
        elif name and position != time:
            ignored.append(name)
    if ignored and not mapped:
        raise LineError(_unknown_column(ignored[0], [name.lower() for name in names]))
    if not columns:
        raise LineError(f"no column except {names[time]} has the name of a field such as cpu_usage")
    return Layout(
        separator=separator,
        width=len(names),
        time=time,
        columns=tuple(columns),
        ignored=tuple(ignored),
        unnamed=tuple(position for position, name in enumerate(names) if not name),
        names=frozenset(name.lower() for name in names),
    )


def _long_layout(targets: Sequence[str], separator: str, fields: Mapping[str, str]) -> Layout:
    return Layout(
        separator=separator,
        width=len(targets),
        time=targets.index("time"),
        series=targets.index("series"),
        value=targets.index("value"),
        fields=fields,
    )


def series_field(layout: Layout, name: str) -> str:
    """Return the field that a series of a long table contains.

    Args:
        layout: layout of the file.
        name: name of the series.

    Raises:
        LineError: the name is not a field, and `--map` does not map it to a field.
    """
    target = layout.fields.get(name.strip().lower(), name.strip().lower())
    if target not in METRIC_BY_FIELD:
        raise LineError(f"unknown series {name!r}{suggestion(target, SAMPLE_FIELDS)}; name its field with --map")
    return target


def _best_separator(line: str, mapped: Mapping[str, str]) -> str:
    """Return the separator that splits a header line into the most known names; on a tie, into the most cells.

    Args:
        line: header line.
        mapped: mapping whose keys are known names in addition to the fields, in lower case.
    """
    known = {*SAMPLE_FIELDS, *TIME_ALIASES, *LONG_COLUMNS, *mapped}

    def score(separator: str) -> tuple[int, int]:
        try:
            names = split_cells(line, separator)
        except LineError:
            names = line.replace('"', "").split(separator)
        return sum(name.strip().lower() in known for name in names), len(names)

    return max(SEPARATORS, key=score)


def _no_time_column(names: Sequence[str]) -> str:
    if names and all(name.replace(".", "").replace("-", "").isdigit() for name in names if name):
        return f"no header: the first line must name the columns, such as {TIME_COLUMN},cpu_usage"
    hint = column_hint([name.lower() for name in names])
    return f"no column {TIME_COLUMN}; name the timestamp column with --map {TIME_COLUMN}=COLUMN{hint}"


def _unknown_column(name: str, names: Sequence[str]) -> str:
    hint = column_hint(names)
    if hint:
        return f"unknown column {name!r}{hint}"
    near = suggestion(name.lower(), SAMPLE_FIELDS)
    return f"unknown column {name!r}{near}; --map NAME=COLUMN names the field of a column and ignores unknown columns"


def _check_repetitions(targets: Sequence[str]) -> None:
    for target in targets:
        if target in METRIC_BY_FIELD and targets.count(target) > 1:
            raise LineError(f"duplicate column {target}")
    if targets.count(TIME_COLUMN) > 1:
        raise LineError(f"duplicate column {TIME_COLUMN}")


def _check_percent_name(name: str, target: str, *, percent: bool) -> None:
    """Raise LineError if the column name of a ratio indicates percentages: small percentages look like ratios."""
    if target in RATIO_FIELDS and not percent and any(part in name.lower() for part in PERCENT_NAMES):
        raise LineError(
            f"column {name!r} has the name of a percentage, but {target} is a ratio from 0 to 1: percent? use "
            "--percent, or rename the column"
        )

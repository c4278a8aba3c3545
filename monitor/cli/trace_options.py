"""Options of commands that read trace files: columns, units, time zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from functools import wraps
from typing import Any

import click

from monitor.system.suggestions import suggestion

TIME_COLUMN = "timestamp"


class ColumnName(click.ParamType[tuple[str, str]]):
    """Parameter type: NAME=COLUMN; NAME is a field or `timestamp`, COLUMN the column or series with its values."""

    name = "name=column"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return (field, column)."""
        from storage import SAMPLE_FIELDS  # noqa: PLC0415

        if isinstance(value, tuple):
            return value
        field, equals, column = (part.strip() for part in str(value).partition("="))
        if not equals or not column:
            self.fail(f"{value!r} is not NAME=COLUMN, such as cpu_usage=CPU", param, ctx)
        if field != TIME_COLUMN and field not in SAMPLE_FIELDS:
            self.fail(f"{field!r} is not {TIME_COLUMN} or a field{suggestion(field, SAMPLE_FIELDS)}", param, ctx)
        return field, column


class TimeZone(click.ParamType[tzinfo]):
    """Parameter type: name of a time zone in the IANA database, converted to a `tzinfo`."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tzinfo:
        """Return the named time zone of the IANA database."""
        from zoneinfo import ZoneInfo  # noqa: PLC0415

        if isinstance(value, tzinfo):
            return value
        try:
            return ZoneInfo(str(value))
        except (KeyError, ValueError, OSError):
            self.fail(f"{value!r} is not a time zone such as UTC or Europe/Berlin", param, ctx)


def columns_by_name(
    context: click.Context, parameter: click.Parameter, value: tuple[tuple[str, str], ...]
) -> dict[str, str]:
    """Convert the (field, column) pairs of `--map` to a mapping of columns to fields (click callback).

    Raises:
        click.BadParameter: a field is named twice, or a column is named twice regardless of case.
    """
    fields = [field for field, _ in value]
    columns = {column: field for field, column in value}
    if len(set(fields)) < len(value) or len({column.lower() for column in columns}) < len(value):
        raise click.BadParameter("names a field or a column twice", ctx=context, param=parameter)
    return columns


ZONE_OPTION = click.option(
    "--timezone",
    "zone",
    metavar="ZONE",
    type=TimeZone(),
    help="Time zone of dates without one, e.g. Europe/Berlin. Default: refuse such dates.",
)

PERCENT_OPTION = click.option(
    "--percent",
    is_flag=True,
    help="Ratios are percentages, 0 to 100, in all columns except load_per_cpu.",
)

MAP_OPTION = click.option(
    "--map",
    "columns",
    metavar="NAME=COLUMN",
    multiple=True,
    type=ColumnName(),
    callback=columns_by_name,
    help="Column or series of the file that holds a field, or timestamp; repeatable. Other unknown columns are then "
    "ignored.",
)


def trace_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options `--map`, `--percent` and `--timezone`, passed as one parameter `interpretation`."""

    @wraps(function)
    def with_interpretation(
        *args: Any, columns: dict[str, str], percent: bool, zone: tzinfo | None, **parameters: Any
    ) -> int:
        from monitor.sampling.trace_format.options import TraceOptions  # noqa: PLC0415

        interpretation = TraceOptions(columns=columns, percent=percent, zone=zone)
        return function(*args, interpretation=interpretation, **parameters)

    for option in (ZONE_OPTION, PERCENT_OPTION, MAP_OPTION):
        with_interpretation = option(with_interpretation)
    return with_interpretation

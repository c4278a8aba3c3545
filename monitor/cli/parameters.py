"""Parameter types of the command line: row IDs, durations, times and files.

Every `convert` raises click.BadParameter for an invalid value.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from monitor.config.durations import parse_time
from monitor.system.standard_streams import STANDARD_INPUT, STANDARD_OUTPUT

MAX_ID = 2**63 - 1
"""Largest integer that the database can store."""


class RowId(click.ParamType[int]):
    """Parameter type: ID of a database row, an integer from 1 to MAX_ID."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the ID as an integer."""
        text = str(value)
        if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MAX_ID:
            self.fail(f"{text!r} is not an id", param, ctx)
        return int(text)


class Duration(click.ParamType[float]):
    """Parameter type: positive duration such as "7d", converted to seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the duration in seconds."""
        from monitor.config.durations import MAX_DURATION, parse_duration  # noqa: PLC0415

        if isinstance(value, float):
            return value
        try:
            seconds = parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds <= 0:
            self.fail("must be longer than 0 s", param, ctx)
        if seconds > MAX_DURATION:
            self.fail(f"{value!r} is longer than a hundred years", param, ctx)
        return seconds


class Time(click.ParamType[float]):
    """Parameter type: time as seconds since the epoch, ISO 8601, `now`, or a signed duration relative to now."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the time in seconds since the epoch."""
        from monitor.system.formatting import LATEST  # noqa: PLC0415

        if isinstance(value, float):
            return value
        seconds = parse_time(value, time.time())
        if seconds is None or not 0 <= seconds <= LATEST:
            examples = "1772366400, 2026-03-01T12:00:00, now or -2h"
            self.fail(f"{value!r} is not a time such as {examples}", param, ctx)
        return seconds


def _start_of_period(
    kind: click.ParamType[float], text: str, now: float, param: click.Parameter | None, ctx: click.Context | None
) -> float:
    """Return the start of a period that ends now, in seconds since the epoch.

    Args:
        kind: parameter type that reports an invalid value.
        text: start time or duration of the period.
        now: seconds since the epoch.
        param: parameter of the command.
        ctx: context of the command.

    Raises:
        click.BadParameter: the text is invalid, or the start is not between 1970 and now.
    """
    from monitor.config.durations import parse_duration  # noqa: PLC0415

    start = parse_time(text, now)
    if start is None:
        try:
            parse_duration(text)
        except ValueError:
            kind.fail(f"{text!r} is neither a duration such as 7d nor a time such as 2026-03-01", param, ctx)
        return now - DURATION.convert(text, param, ctx)
    if not 0 <= start < now:
        kind.fail(f"{text!r} is not between 1970 and now", param, ctx)
    return start


class Since(click.ParamType[float]):
    """Parameter type: length of a period that ends now, entered as a duration or as the start time."""

    name = "since"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the length of the period in seconds."""
        if isinstance(value, float):
            return value
        now = time.time()
        return now - _start_of_period(self, value, now, param, ctx)


class Start(click.ParamType[float]):
    """Parameter type: start of a period that ends now, entered as a time or as the duration of the period."""

    name = "start"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the start in seconds since the epoch."""
        if isinstance(value, float):
            return value
        return _start_of_period(self, value, time.time(), param, ctx)


class File(click.Path):
    """Parameter type: file name that a shell completes; `-` stands for a standard stream.

    Args:
        dash: path of the stream that `-` stands for.
    """

    def __init__(self, dash: Path) -> None:
        super().__init__(readable=False, allow_dash=True, path_type=Path)
        self.dash = dash

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; `dash` for `-`."""
        return self.dash if value == "-" else super().convert(value, param, ctx)


def with_one_standard_input(
    context: click.Context, parameter: click.Parameter, value: tuple[Path, ...]
) -> tuple[Path, ...]:
    """Check that an argument names standard input at most once, and return its files (click callback).

    Raises:
        click.BadParameter: standard input is named more than once.
    """
    if value.count(STANDARD_INPUT) > 1:
        raise click.BadParameter("- may be given once only", ctx=context, param=parameter)
    return value


ROW_ID = RowId()
DURATION = Duration()
TIME = Time()
SINCE = Since()
START = Start()
INPUT_FILE = File(STANDARD_INPUT)
OUTPUT_FILE = File(STANDARD_OUTPUT)

"""Configuration options: dataclass fields with their reader, writer and description."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import Field, dataclass, field
from typing import Any

from monitor.config.durations import MAX_DURATION, parse_duration
from monitor.system.formatting import format_duration
from monitor.system.redaction import redact_credentials, redact_url

Reader = Callable[[Any], Any]
"""Function that validates and converts a TOML value; it raises ValueError with one line per problem."""

Writer = Callable[[Any], str]
"""Function that converts a value to TOML."""

MAX_NUMBER = 1e30
"""Largest absolute value of a number; infinity and NaN are no numbers."""

MAX_INTEGER = 2**63 - 1
"""Largest whole number: the largest integer of TOML 1.0."""

MAX_SHOWN = 60
"""Largest number of characters of an invalid value that an error message quotes."""

_KEY = "option"


@dataclass(frozen=True)
class Option:
    """Definition of one configuration key.

    Attributes:
        read: validates and converts a TOML value.
        write: converts a value to TOML.
        description: meaning and unit in one or more sentences.
        takes: allowed values in words.
        example: valid value in TOML; empty if the default shows the notation.
        default_text: default in words; empty if the default is a constant.
        show: converts a value for output, without its secrets.
        nested: True for a value of named tables: `read` raises NestedError, and `write` returns the tables.
    """

    read: Reader
    write: Writer = json.dumps
    description: str = ""
    takes: str = ""
    example: str = ""
    default_text: str = ""
    show: Callable[[Any], Any] = lambda value: value
    nested: bool = False


class NestedError(ValueError):
    """Raised by the reader of nested tables; each line of the message starts with the path of a key in them."""


def option(
    default: Any,
    read: Reader,
    description: str,
    *,
    takes: str = "",
    example: str = "",
    default_text: str = "",
    write: Writer = json.dumps,
) -> Any:
    """Return a dataclass field with a default, whose metadata contains an `Option` with the other arguments."""
    details = Option(
        read=read,
        write=write,
        description=description,
        takes=takes,
        example=example,
        default_text=default_text,
    )
    return option_field(default, details)


def option_field(default: Any, details: Option) -> Any:
    """Return a dataclass field with a default, whose metadata contains an `Option`."""
    return field(default=default, metadata={_KEY: details})


def option_of(key: Field[Any]) -> Option:
    """Return the `Option` of a dataclass field that `option` created."""
    details: Option = key.metadata[_KEY]
    return details


def duration(default: float, description: str, *, minimum: float = 0.0) -> Any:
    """Return an option whose value is a duration of at least `minimum` seconds."""
    takes = f"a duration, at least {format_duration(minimum)}" if minimum else "a duration"
    return option(default, duration_reader(minimum), description, takes=takes, write=_write_duration)


def number(
    default: float,
    description: str,
    *,
    above: float = -math.inf,
    minimum: float = -math.inf,
    maximum: float = math.inf,
) -> Any:
    """Return an option whose value is a number above `above`, at least `minimum` and at most `maximum`."""
    bounds = (("above", above), ("at least", minimum), ("at most", maximum))
    range_text = " and ".join(f"{relation} {bound:g}" for relation, bound in bounds if math.isfinite(bound))

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"must be a number, not {abbreviate(value)}")  # noqa: TRY004
        if abs(value) > MAX_NUMBER or not (above < value and minimum <= value <= maximum):
            raise ValueError(f"must be {range_text or 'a number'}, not {abbreviate(value)}")
        return float(value)

    takes = f"a number, {range_text}" if range_text else "a number"
    return option(default, read, description, takes=takes, write=lambda value: f"{value:g}")


def integer(default: int, description: str, *, minimum: int = 0) -> Any:
    """Return an option whose value is a whole number of at least `minimum`."""
    takes = f"a whole number, at least {minimum}"
    return option(default, integer_reader(minimum), description, takes=takes, write=str)


def choice(default: str, allowed: tuple[str, ...], description: str) -> Any:
    """Return an option whose value is one of the strings in `allowed`."""

    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}, not {abbreviate(value)}")
        return str(value)

    return option(default, read, description, takes=f"one of {', '.join(map(json.dumps, allowed))}")


def boolean(default: bool, description: str) -> Any:
    """Return an option whose value is true or false."""

    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"must be true or false, not {abbreviate(value)}")  # noqa: TRY004
        return value

    return option(default, read, description, takes="true or false")


def string(
    default: str, description: str, *, pattern: str = "(?s).*", example: str = "", default_text: str = ""
) -> Any:
    """Return an option whose value is a string that matches a regular expression.

    Args:
        default: the default value.
        description: see `Option`.
        pattern: regular expression that the whole value must match; by default any string.
        example: a valid value, for error messages and the reference.
        default_text: see `Option`.
    """
    expected = f"a string such as {json.dumps(example)}" if example else "a string"

    def read(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(f"must be {expected}, not {abbreviate(value)}")
        return value

    return option(
        default,
        read,
        description,
        takes="a string",
        example=json.dumps(example) if example else "",
        default_text=default_text,
    )


def duration_reader(minimum: float) -> Reader:
    """Return a reader of durations of at least `minimum` seconds."""

    def read(value: Any) -> float:
        if not isinstance(value, str):
            raise ValueError(f'must be a duration such as "5m", not {abbreviate(value)}')  # noqa: TRY004
        try:
            seconds = parse_duration(value)
        except ValueError as error:
            raise ValueError(f'{abbreviate(value)} is not a duration such as "5m" or "1h30m"') from error
        if seconds < minimum:
            raise ValueError(f"must be at least {format_duration(minimum)}, not {abbreviate(value)}")
        if seconds > MAX_DURATION:
            raise ValueError(f"must be at most {format_duration(MAX_DURATION)}, not {abbreviate(value)}")
        return seconds

    return read


def integer_reader(minimum: int) -> Reader:
    """Return a reader of whole numbers of at least `minimum`."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"must be a whole number, not {abbreviate(value)}")  # noqa: TRY004
        if value < minimum:
            raise ValueError(f"must be at least {minimum}, not {abbreviate(value)}")
        if value > MAX_INTEGER:
            raise ValueError(f"must be at most {MAX_INTEGER}, not {abbreviate(value)}")
        return value

    return read


def abbreviate(value: Any) -> str:
    """Return the `repr` of an invalid value for a message: without credentials, and cut to MAX_SHOWN characters."""
    is_url = isinstance(value, str) and "://" in value
    text = repr(redact_url(value)) if is_url else redact_credentials(repr(value))
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


def _write_duration(seconds: float) -> str:
    return f'"{format_duration(seconds)}"'

"""How one key of the configuration is read, checked, described and written.

An option is a dataclass field that carries its own reader and its own sentence of help, so that the parser, the
commented config.toml and the reference come from one place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, fields
from difflib import get_close_matches
from typing import Any, TypeVar

from model.features.labels import parse_quantile
from monitor.config.durations import parse_duration
from monitor.sampling.sources import RATIO_FIELDS
from monitor.system.formatting import format_duration
from storage import SAMPLE_FIELDS

Reader = Callable[[Any], Any]
Section = TypeVar("Section")


def option(
    default: Any,
    read: Reader,
    text: str,
    *,
    takes: str = "",
    example: str = "",
    write: Callable[[Any], str] = json.dumps,
) -> Any:
    """A field of a section: its default, how it is read from TOML and written back, and what it means.

    Args:
        default: its value where it is not set.
        read: from TOML; raises ValueError with what it must be, a line for each thing that is wrong.
        text: what it means, for people.
        takes: what it may be, for the reference.
        example: as TOML, where the default does not show what one looks like.
        write: to TOML.
    """
    return field(
        default=default, metadata={"read": read, "help": text, "write": write, "takes": takes, "example": example}
    )


def duration(default: float, text: str, *, least: float = 0.0) -> Any:
    """A duration in seconds, at least `least`."""
    takes = f"a duration, at least {format_duration(least)}" if least else "a duration"
    return option(default, _duration(least), text, takes=takes, write=lambda value: f'"{format_duration(value)}"')


def number(
    default: float,
    text: str,
    *,
    above: float = float("-inf"),
    least: float = float("-inf"),
    most: float = float("inf"),
) -> Any:
    """A number above `above`, at least `least` and at most `most`."""
    bounds = [("above", above), ("at least", least), ("at most", most)]
    wanted = " and ".join(f"{word} {bound:g}" for word, bound in bounds if abs(bound) != float("inf"))

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"must be a number, not {_shown(value)}")  # noqa: TRY004
        if not (above < value and least <= value <= most):
            raise ValueError(f"must be {wanted or 'a number'}, not {value:g}")
        return float(value)

    return option(
        default, read, text, takes=f"a number, {wanted}" if wanted else "a number", write=lambda value: f"{value:g}"
    )


def integer(default: int, text: str, *, least: int = 0) -> Any:
    """A whole number, at least `least`."""
    return option(default, _integer(least), text, takes=f"a whole number, at least {least}", write=str)


def choice(default: str, allowed: tuple[str, ...], text: str) -> Any:
    """One of some words."""

    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}, not {_shown(value)}")
        return str(value)

    return option(default, read, text, takes=f"one of {', '.join(json.dumps(word) for word in allowed)}")


def switch(default: bool, text: str) -> Any:
    """A boolean."""

    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"must be true or false, not {_shown(value)}")  # noqa: TRY004
        return value

    return option(default, read, text, takes="true or false")


def texts(
    default: tuple[str, ...], text: str, *, allowed: tuple[str, ...] | None = None, example: Sequence[str] = ()
) -> Any:
    """A list of strings, each out of `allowed` if given."""

    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise ValueError(f"must be a list of strings, not {_shown(value)}")
        for entry in value:
            if allowed is not None and entry not in allowed:
                raise ValueError(f"{entry!r} is not one of {', '.join(allowed)}")
        return tuple(value)

    def write(value: Sequence[str]) -> str:
        return json.dumps(list(value))

    takes = f"a list out of {', '.join(allowed)}" if allowed else "a list of strings"
    return option(default, read, text, takes=takes, example=write(example) if example else "", write=write)


def durations(default: tuple[float, ...], text: str) -> Any:
    """A list of increasing durations, not empty."""

    def read(value: Any) -> tuple[float, ...]:
        if not isinstance(value, list) or not value:
            raise ValueError('must be a list of durations with at least one entry, e.g. ["5m", "15m"]')
        found = tuple(_duration(1.0)(entry) for entry in value)
        if list(found) != sorted(set(found)):
            raise ValueError("must be in increasing order, each once")
        return found

    return option(
        default,
        read,
        text,
        takes="a list of durations of 1s or more, in increasing order",
        write=lambda value: json.dumps([format_duration(seconds) for seconds in value]),
    )


def integers(default: tuple[int, ...], text: str) -> Any:
    """A list of whole numbers of 1 or more."""

    def read(value: Any) -> tuple[int, ...]:
        if not isinstance(value, list):
            raise ValueError(f"must be a list of whole numbers, not {_shown(value)}")  # noqa: TRY004
        return tuple(_integer(1)(entry) for entry in value)

    takes = "a list of whole numbers of 1 or more"
    return option(default, read, text, takes=takes, write=lambda value: json.dumps(list(value)))


def string(default: str, text: str, *, pattern: str = ".*", example: str = "") -> Any:
    """A string of some form."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(f"must look like {example!r}, not {_shown(value)}")
        return value

    return option(default, read, text, takes="a string", example=json.dumps(example) if example else "")


def rules(default: tuple[tuple[tuple[str, float | str], ...], ...], text: str) -> Any:
    """A list of tables of bounds."""

    def write(value: Any) -> str:
        tables = ("{ " + ", ".join(f"{m} = {json.dumps(b)}" for m, b in rule) + " }" for rule in value)
        return f"[{', '.join(tables)}]"

    takes = "a list of tables of bounds, each a metric's: a number above 0, a ratio at most 1, or a quantile"
    return option(default, _read_rules, text, takes=takes, example='[{ cpu_usage = "p95" }]', write=write)


def _read_rules(value: Any) -> tuple[tuple[tuple[str, float | str], ...], ...]:
    if not isinstance(value, list) or not value or not all(isinstance(rule, dict) and rule for rule in value):
        raise ValueError("must be a list of at least one table of bounds, e.g. [{ cpu_usage = 0.85 }]")
    problems, found = [], []
    for rule in value:
        bounds = []
        for metric, bound in rule.items():
            try:
                bounds.append((metric, _bound(metric, bound)))
            except ValueError as error:
                problems.append(str(error))
        found.append(tuple(bounds))
    if problems:
        raise ValueError("\n".join(problems))
    return tuple(found)


def _bound(metric: str, bound: Any) -> float | str:
    if metric not in SAMPLE_FIELDS:
        raise ValueError(f"{metric!r} is not a metric{nearest(metric, SAMPLE_FIELDS)}")
    if isinstance(bound, str) and parse_quantile(bound) is not None:
        return bound
    if isinstance(bound, bool) or not isinstance(bound, int | float) or not bound > 0:
        raise ValueError(f'the bound of {metric} must be a number above 0 or a quantile "p95", not {_shown(bound)}')
    if metric in RATIO_FIELDS and bound > 1:
        raise ValueError(f"the bound of {metric} is a ratio, 0 to 1, not {bound:g}")
    return float(bound)


def nearest(name: str, known: tuple[str, ...]) -> str:
    """A hint "did you mean ..." for a name that is nearly one of the known ones, else nothing."""
    found = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else ""


def read_section(section: type[Section], table: Any, path: str) -> tuple[Section, list[str]]:
    """A section from its TOML table; a key that is wrong keeps its default and adds a line to the problems."""
    if not isinstance(table, Mapping):
        return section(), [f"{path}: must be a table"]
    options = {f.name: f for f in fields(section)}  # type: ignore[arg-type]
    found, problems = {}, []
    for key, value in table.items():
        if key not in options:
            problems.append(f"{path}.{key}: unknown key{nearest(key, tuple(options))}")
            continue
        try:
            found[key] = options[key].metadata["read"](value)
        except ValueError as error:
            problems += [f"{path}.{key}: {line}" for line in str(error).splitlines()]
    return section(**found), problems


def write_section(section: Any, path: str, *, comments: bool) -> str:
    """The section as TOML; with comments each key is preceded by what it means."""
    lines = [f"[{path}]"]
    for f in fields(section):
        if comments:
            lines += ["", *(f"# {line}" for line in f.metadata["help"].splitlines())]
        lines.append(f"{f.name} = {f.metadata['write'](getattr(section, f.name))}")
    return "\n".join(lines)


def _duration(least: float) -> Reader:
    def read(value: Any) -> float:
        if not isinstance(value, str):
            raise ValueError(f'must be a duration such as "5m", not {_shown(value)}')  # noqa: TRY004
        seconds = parse_duration(value)
        if seconds < least:
            raise ValueError(f"must be at least {format_duration(least)}, not {value}")
        return seconds

    return read


def _integer(least: int) -> Reader:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"must be a whole number, not {_shown(value)}")  # noqa: TRY004
        if value < least:
            raise ValueError(f"must be at least {least}, not {value}")
        return value

    return read


def _shown(value: Any) -> str:
    return f"{value!r}" if len(repr(value)) <= 60 else f"{repr(value)[:57]}..."

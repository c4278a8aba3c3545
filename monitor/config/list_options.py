"""Options whose value is a list: strings, durations, whole numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from monitor.config.options import abbreviate, duration_reader, integer_reader, option
from monitor.system.formatting import format_duration


def strings(
    default: tuple[str, ...],
    description: str,
    *,
    allowed: tuple[str, ...] | None = None,
    example: Sequence[str] = (),
) -> Any:
    """Return an option whose value is a list of strings; if `allowed` is not None, each string must be in it."""

    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise ValueError(f"must be a list of strings, not {abbreviate(value)}")
        for entry in value:
            if allowed is not None and entry not in allowed:
                raise ValueError(f"{abbreviate(entry)} is not one of {', '.join(allowed)}")
        return tuple(value)

    return option(
        default,
        read,
        description,
        takes=f"a list of any of {', '.join(allowed)}" if allowed else "a list of strings",
        example=_write_list(example) if example else "",
        write=_write_list,
    )


def durations(default: tuple[float, ...], description: str) -> Any:
    """Return an option whose value is a non-empty list of increasing durations of at least 1 s."""
    read_duration = duration_reader(1.0)

    def read(value: Any) -> tuple[float, ...]:
        if not isinstance(value, list) or not value:
            raise ValueError('must be a list of durations with at least one entry, e.g. ["5m", "15m"]')
        seconds = tuple(read_duration(entry) for entry in value)
        if list(seconds) != sorted(set(seconds)):
            raise ValueError("must be in increasing order without duplicates")
        return seconds

    return option(
        default,
        read,
        description,
        takes="a list of durations of 1s or more, in increasing order",
        write=lambda value: _write_list([format_duration(seconds) for seconds in value]),
    )


def integers(default: tuple[int, ...], description: str) -> Any:
    """Return an option whose value is a list of whole numbers of at least 1."""
    read_integer = integer_reader(1)

    def read(value: Any) -> tuple[int, ...]:
        if not isinstance(value, list):
            raise ValueError(f"must be a list of whole numbers, not {abbreviate(value)}")  # noqa: TRY004
        return tuple(read_integer(entry) for entry in value)

    return option(default, read, description, takes="a list of whole numbers of 1 or more", write=_write_list)


def _write_list(value: Sequence[object]) -> str:
    return json.dumps(list(value))

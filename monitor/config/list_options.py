"""Options whose value is a list: strings, durations, whole numbers, high-load rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from model.features.labels import parse_quantile
from monitor.config.options import MAX_NUMBER, abbreviate, duration_reader, integer_reader, option
from monitor.sampling.metric_catalog import RATIO_FIELDS
from monitor.system.formatting import format_duration
from monitor.system.suggestions import suggestion
from storage import SAMPLE_FIELDS

RuleBounds = tuple[tuple[str, float | str], ...]
"""One high-load rule: pairs of metric and bound, which is a number or a quantile such as "p95"."""


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


def rules(default: tuple[RuleBounds, ...], description: str) -> Any:
    """Return an option whose value is a non-empty list of high-load rules, each a table from metric to bound."""
    takes = "a list of tables from metric to bound: a number above 0, a ratio up to 1, or a quantile"
    return option(
        default, _read_rules, description, takes=takes, example='[{ cpu_usage = "p95" }]', write=_write_rules
    )


def _read_rules(value: Any) -> tuple[RuleBounds, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(rule, dict) and rule for rule in value):
        raise ValueError("must be a list of at least one table of bounds, e.g. [{ cpu_usage = 0.85 }]")
    problems = []
    result = []
    for rule in value:
        bounds = []
        for metric, bound in rule.items():
            try:
                bounds.append((metric, _read_bound(metric, bound)))
            except ValueError as error:
                problems.append(str(error))
        result.append(tuple(bounds))
    if problems:
        raise ValueError("\n".join(problems))
    return tuple(result)


def _read_bound(metric: str, bound: Any) -> float | str:
    if metric not in SAMPLE_FIELDS:
        raise ValueError(f"{abbreviate(metric)} is not a metric{suggestion(metric, SAMPLE_FIELDS)}")
    if isinstance(bound, str) and parse_quantile(bound) is not None:
        return bound
    if isinstance(bound, bool) or not isinstance(bound, int | float) or not 0 < bound <= MAX_NUMBER:
        raise ValueError(
            f'the bound of {metric} must be a number above 0 or a quantile such as "p95", not {abbreviate(bound)}'
        )
    if metric in RATIO_FIELDS and bound > 1:
        raise ValueError(f"the bound of {metric} is a ratio, 0 to 1, not {bound:g}")
    return float(bound)


def _write_rules(value: tuple[RuleBounds, ...]) -> str:
    tables = (", ".join(f"{metric} = {json.dumps(bound)}" for metric, bound in rule) for rule in value)
    return f"[{', '.join(f'{{ {table} }}' for table in tables)}]"


def _write_list(value: Sequence[object]) -> str:
    return json.dumps(list(value))

"""Option for the high-load rules."""

from __future__ import annotations

import json
from typing import Any

from model.features.labels import parse_quantile
from monitor.config.options import MAX_NUMBER, abbreviate, option
from monitor.sampling.metric_catalog import RATIO_FIELDS
from monitor.system.suggestions import suggestion
from storage import SAMPLE_FIELDS

RuleBounds = tuple[tuple[str, float | str], ...]
"""One high-load rule: pairs of metric and bound, which is a number or a quantile such as "p95"."""


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

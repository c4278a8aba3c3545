"""Table builders: panels with one row per horizon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.panels import Json, Query, metric, override, panel, per_horizon, threshold_steps


@dataclass(frozen=True)
class Column:
    """Column of a table with one row per horizon.

    Attributes:
        name: heading.
        expr: PromQL expression with one value per horizon.
        field: field properties.
    """

    name: str
    expr: str
    field: Json


def column(name: str, expr: str, unit: str = "none", **field: Any) -> Column:
    """Return a column with a unit and field properties; in their keys, `__` stands for a dot."""
    return Column(name, expr, {"unit": unit} | field)


BASE_RATE = column("base rate", per_horizon("high_load_baseline_probability"), "percentunit", decimals=1)
PREDICTOR = "max by (horizon, predictor) (" + metric("high_load_served_by") + " == 1)"


def table(title: str, about: str, columns: Sequence[Column], width: int, height: int) -> Json:
    """Return a table with one row per horizon, sorted by base rate, which increases with the horizon."""
    queries = [Query(c.expr, now=True, table=True) for c in columns]
    names = {f"Value #{chr(ord('A') + i)}": c.name for i, c in enumerate(columns)}
    kept = ["horizon", *("predictor" if c.expr == PREDICTOR else f for f, c in zip(names, columns, strict=True))]
    field = {
        "color": {"mode": "thresholds"},
        "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
        "noValue": "-",
        "thresholds": threshold_steps("text"),
        "unit": "none",
    }
    options = {
        "cellHeight": "sm",
        "frameIndex": 0,
        "showHeader": True,
        "sortBy": [{"desc": False, "displayName": BASE_RATE.name}],
    }
    result = panel("table", title, about, queries, (width, height), field, options)
    result["fieldConfig"]["overrides"] = [override(c.name, **c.field) for c in columns]
    order = {name: i for i, name in enumerate(kept)}
    renamed = {key: name for key, name in (names | {"predictor": "served by"}).items() if key in kept}
    result["transformations"] = [
        {"id": "joinByField", "options": {"byField": "horizon", "mode": "outer"}},
        {"id": "filterFieldsByName", "options": {"include": {"names": kept}}},
        {"id": "organize", "options": {"excludeByName": {}, "indexByName": order, "renameByName": renamed}},
    ]
    return result

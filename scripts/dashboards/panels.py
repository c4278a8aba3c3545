"""Panel builders: PromQL selectors and panels in the JSON model of Grafana."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

WIDTH = 24
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
DAEMON = 'job="$job", instance="$instance"'
# Prometheus sets the label `job` itself and renames the label `job` of a metric to this one.
JOB = "exported_job"
GREEN, ORANGE, RED, BLUE, PURPLE, GREY = "green", "orange", "red", "blue", "purple", "#8e8e8e"


def metric(name: str, labels: str = "") -> str:
    """Return the selector of a metric of the selected daemon."""
    return f"monitor_{name}{{{DAEMON}{', ' + labels if labels else ''}}}"


def per_horizon(name: str) -> str:
    """Return an expression with one value per horizon and no other labels, for tables."""
    return f"max by (horizon) ({metric(name)})"


@dataclass(frozen=True)
class Query:
    """A query of a panel.

    Attributes:
        expr: PromQL expression.
        legend: legend format; empty for the default.
        now: True for an instant query, which omits series that have ended.
        table: True for a table, False for time series.
    """

    expr: str
    legend: str = ""
    now: bool = False
    table: bool = False

    def json(self, index: int) -> Json:
        """Return the query as the panel target with this index, counted from 0."""
        return {
            "datasource": SOURCE,
            "editorMode": "code",
            "expr": self.expr,
            "format": "table" if self.table else "time_series",
            "instant": self.now,
            "legendFormat": self.legend or "__auto",
            "range": not self.now,
            "refId": chr(ord("A") + index),
        }


def threshold_steps(base: str, *above: tuple[float, str]) -> Json:
    """Return thresholds from a base colour and pairs (value, colour): each colour holds from its value on."""
    steps: list[Json] = [{"color": base, "value": None}]
    steps += [{"color": colour, "value": value} for value, colour in above]
    return {"mode": "absolute", "steps": steps}


def value_mappings(*texts: tuple[int, str, str]) -> list[Json]:
    """Return value mappings from tuples (number, text, colour)."""
    options = {str(value): {"text": text, "color": colour, "index": value} for value, text, colour in texts}
    return [{"type": "value", "options": options}]


def override(name: str, **properties: Any) -> Json:
    """Return field properties of the series with a name or that match a /regular expression/.

    In the keys of `properties`, `__` stands for a dot.
    """
    matcher = "byRegexp" if name.startswith("/") else "byName"
    fields = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": matcher, "options": name}, "properties": fields}


def fixed_color(colour: str) -> Json:
    """Return a constant colour."""
    return {"mode": "fixed", "fixedColor": colour}


def dashed_line(name: str, colour: str) -> Json:
    """Return field properties that draw a series as a dashed line."""
    style = {"fill": "dash", "dash": [8, 6]}
    return override(name, custom__lineStyle=style, custom__fillOpacity=0, color=fixed_color(colour))


def panel(
    kind: str, title: str, about: str, queries: Sequence[Query], size: tuple[int, int], field: Json, options: Json
) -> Json:
    """Return a panel at position (0, 0)."""
    return {
        "datasource": SOURCE,
        "description": about,
        "fieldConfig": {"defaults": field, "overrides": []},
        "gridPos": {"h": size[1], "w": size[0], "x": 0, "y": 0},
        "options": options,
        "targets": [query.json(i) for i, query in enumerate(queries)],
        "title": title,
        "type": kind,
    }


REDUCE = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def stat(title: str, about: str, query: Query, unit: str = "none", width: int = 3, **field: Any) -> Json:
    """Return a panel with the present value; if `field` has mappings, their colours fill the background."""
    state = "mappings" in field
    options = {
        "colorMode": "background" if state else "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": REDUCE,
        "showPercentChange": False,
        "textMode": field.pop("text", "value"),
        "wideLayout": True,
    }
    base = {"color": {"mode": "thresholds"}, "noValue": "-", "thresholds": threshold_steps("text"), "unit": unit}
    field = base | field
    return panel("stat", title, about, [Query(query.expr, query.legend, now=True)], (width, 4), field, options)


def time_series(title: str, about: str, queries: Sequence[Query], unit: str, **how: Any) -> Json:
    """Return a time series panel.

    `how`: width, height, fill, stack, log, step, bars, thresholds (drawn as lines), reach
    (soft maximum of the axis), overrides, legend (values next to each name), interval, repeat; all other
    keys are properties of the field.
    """
    width, height = how.pop("width", 8), how.pop("height", 8)
    calcs, overrides = how.pop("legend", []), how.pop("overrides", [])
    extra = {key: how.pop(key) for key in ("interval", "repeat", "repeatDirection", "maxPerRow") if key in how}
    stack, bars = how.pop("stack", "none"), how.pop("bars", False)
    custom: Json = {
        "drawStyle": "bars" if bars else "line",
        "fillOpacity": how.pop("fill", 60 if bars else 20 if stack != "none" else 0),
        "lineInterpolation": "stepAfter" if how.pop("step", False) else "linear",
        "lineWidth": 1,
        "scaleDistribution": {"type": "log", "log": 10} if how.pop("log", False) else {"type": "linear"},
        "showPoints": "auto",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": stack},
        "thresholdsStyle": {"mode": "dashed" if "thresholds" in how else "off"},
    }
    if "reach" in how:
        custom["axisSoftMax"] = how.pop("reach")
    field = {
        "color": {"mode": "palette-classic"},
        "custom": custom,
        "thresholds": threshold_steps("transparent"),
        "unit": unit,
    }
    options = {
        "legend": {
            "calcs": calcs,
            "displayMode": "table" if calcs else "list",
            "placement": "bottom",
            "showLegend": True,
        },
        "tooltip": {"hideZeros": False, "mode": "multi", "sort": "desc"},
    }
    result = panel("timeseries", title, about, queries, (width, height), field | how, options) | extra
    result["fieldConfig"]["overrides"] = overrides
    return result


def state_timeline(title: str, about: str, queries: Sequence[Query], width: int, height: int, **field: Any) -> Json:
    """Return a panel of states over time."""
    overrides = field.pop("overrides", [])
    options = {
        "alignValue": "left",
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
        "mergeValues": True,
        "rowHeight": 0.8,
        "showValue": "auto",
        "tooltip": {"hideZeros": False, "mode": "single", "sort": "none"},
    }
    base = {
        "color": {"mode": "thresholds"},
        "custom": {"fillOpacity": 70, "lineWidth": 0},
        "thresholds": threshold_steps("text"),
        "unit": "none",
    }
    result = panel("state-timeline", title, about, queries, (width, height), base | field, options)
    result["fieldConfig"]["overrides"] = overrides
    return result


def bar_gauge(title: str, about: str, query: Query, unit: str, size: tuple[int, int], **how: Any) -> Json:
    """Return a panel that shows present values as bars."""
    extra = {key: how.pop(key) for key in ("repeat", "repeatDirection", "maxPerRow") if key in how}
    options = {
        "displayMode": "basic",
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
        "maxVizHeight": 28,
        "minVizHeight": 12,
        "minVizWidth": 8,
        "namePlacement": "left",
        "orientation": "horizontal",
        "reduceOptions": REDUCE,
        "showUnfilled": True,
        "sizing": "manual",
        "valueMode": "color",
    }
    field = {"color": {"mode": "thresholds"}, "thresholds": threshold_steps("blue"), "unit": unit} | how
    now = Query(query.expr, query.legend, now=True)
    return panel("bargauge", title, about, [now], size, field, options) | extra


REPEATED = {"repeat": "horizon", "repeatDirection": "h", "maxPerRow": 3}
RATIO = {"min": 0, "max": 1}
ABSENT = "Empty where the host lacks the metric, or where `web.host_metrics` is false."

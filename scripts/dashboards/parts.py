"""What the dashboards are made of: queries, panels, variables, annotations, pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

WIDTH = 24
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
DAEMON = 'job="$job", instance="$instance"'
# Prometheus keeps its own label `job` and gives the page's another name.
JOB = "exported_job"
GREEN, ORANGE, RED, BLUE, PURPLE, GREY = "green", "orange", "red", "blue", "purple", "#8e8e8e"


def metric(name: str, labels: str = "") -> str:
    """The series of the chosen daemon."""
    return f"monitor_{name}{{{DAEMON}{', ' + labels if labels else ''}}}"


def per_horizon(name: str) -> str:
    """One value per horizon, without other labels, for the tables."""
    return f"max by (horizon) ({metric(name)})"


@dataclass(frozen=True)
class Query:
    """One query of a panel; `now` asks for the present alone, so that what is gone is not shown."""

    expr: str
    legend: str = ""
    now: bool = False
    table: bool = False

    def json(self, index: int) -> Json:
        """As a target of a panel."""
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


def steps(base: str, *above: tuple[float, str]) -> Json:
    """Thresholds: the colour below all, and from each value on."""
    found: list[Json] = [{"color": base, "value": None}]
    found += [{"color": colour, "value": value} for value, colour in above]
    return {"mode": "absolute", "steps": found}


def words(*texts: tuple[int, str, str]) -> list[Json]:
    """What is shown instead of a number, and in which colour."""
    options = {str(value): {"text": text, "color": colour, "index": value} for value, text, colour in texts}
    return [{"type": "value", "options": options}]


def look(name: str, **properties: Any) -> Json:
    """Properties of the series of this name, or that fit this /expression/; `__` stands for a dot."""
    matcher = "byRegexp" if name.startswith("/") else "byName"
    found = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": matcher, "options": name}, "properties": found}


def fixed(colour: str) -> Json:
    """The colour, always."""
    return {"mode": "fixed", "fixedColor": colour}


def dashed(name: str, colour: str) -> Json:
    """A series as a dashed line without an area."""
    style = {"fill": "dash", "dash": [8, 6]}
    return look(name, custom__lineStyle=style, custom__fillOpacity=0, color=fixed(colour))


def panel(
    kind: str, title: str, about: str, queries: Sequence[Query], size: tuple[int, int], field: Json, options: Json
) -> Json:
    """A panel without its place."""
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
    """One figure of now; background colour where it is a state in words, coloured text otherwise."""
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
    base = {"color": {"mode": "thresholds"}, "noValue": "-", "thresholds": steps("text"), "unit": unit}
    field = base | field
    return panel("stat", title, about, [Query(query.expr, query.legend, now=True)], (width, 4), field, options)


def lines(title: str, about: str, queries: Sequence[Query], unit: str, **how: Any) -> Json:
    """Series over time.

    `how`: width, height, fill, stack, log, step, bars, thresholds (drawn as lines), reach
    (what the axis reaches at least), overrides, legend (figures beside
    each name), interval, repeat; everything else is a property of the field.
    """
    width, height = how.pop("width", 8), how.pop("height", 8)
    calcs, overrides = how.pop("legend", []), how.pop("overrides", [])
    beside = {key: how.pop(key) for key in ("interval", "repeat", "repeatDirection", "maxPerRow") if key in how}
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
    field = {"color": {"mode": "palette-classic"}, "custom": custom, "thresholds": steps("transparent"), "unit": unit}
    options = {
        "legend": {
            "calcs": calcs,
            "displayMode": "table" if calcs else "list",
            "placement": "bottom",
            "showLegend": True,
        },
        "tooltip": {"hideZeros": False, "mode": "multi", "sort": "desc"},
    }
    found = panel("timeseries", title, about, queries, (width, height), field | how, options) | beside
    found["fieldConfig"]["overrides"] = overrides
    return found


def timeline(title: str, about: str, queries: Sequence[Query], width: int, height: int, **field: Any) -> Json:
    """States over time."""
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
        "thresholds": steps("text"),
        "unit": "none",
    }
    found = panel("state-timeline", title, about, queries, (width, height), base | field, options)
    found["fieldConfig"]["overrides"] = overrides
    return found


def bars(title: str, about: str, query: Query, unit: str, size: tuple[int, int], **how: Any) -> Json:
    """Figures of now, as bars beside their names."""
    beside = {key: how.pop(key) for key in ("repeat", "repeatDirection", "maxPerRow") if key in how}
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
    field = {"color": {"mode": "thresholds"}, "thresholds": steps("blue"), "unit": unit} | how
    now = Query(query.expr, query.legend, now=True)
    return panel("bargauge", title, about, [now], size, field, options) | beside


@dataclass(frozen=True)
class Column:
    """A column of a table of horizons: what it says, and how it looks."""

    name: str
    expr: str
    field: Json


def column(name: str, expr: str, unit: str = "none", **field: Any) -> Column:
    """A column whose figures have this unit; `__` stands for a dot."""
    return Column(name, expr, {"unit": unit} | field)


USUAL = column("usual", per_horizon("high_load_baseline_probability"), "percentunit", decimals=1)
PREDICTOR = "max by (horizon, predictor) (" + metric("high_load_served_by") + " == 1)"


def table(title: str, about: str, columns: Sequence[Column], width: int, height: int) -> Json:
    """One line for each horizon, the nearest first: its base rate is the lowest."""
    queries = [Query(c.expr, now=True, table=True) for c in columns]
    names = {f"Value #{chr(ord('A') + i)}": c.name for i, c in enumerate(columns)}
    kept = ["horizon", *("predictor" if c.expr == PREDICTOR else f for f, c in zip(names, columns, strict=True))]
    field = {
        "color": {"mode": "thresholds"},
        "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
        "noValue": "-",
        "thresholds": steps("text"),
        "unit": "none",
    }
    options = {
        "cellHeight": "sm",
        "frameIndex": 0,
        "showHeader": True,
        "sortBy": [{"desc": False, "displayName": USUAL.name}],
    }
    found = panel("table", title, about, queries, (width, height), field, options)
    found["fieldConfig"]["overrides"] = [look(c.name, **c.field) for c in columns]
    order = {name: i for i, name in enumerate(kept)}
    renamed = {key: name for key, name in (names | {"predictor": "served by"}).items() if key in kept}
    found["transformations"] = [
        {"id": "joinByField", "options": {"byField": "horizon", "mode": "outer"}},
        {"id": "filterFieldsByName", "options": {"include": {"names": kept}}},
        {"id": "organize", "options": {"excludeByName": {}, "indexByName": order, "renameByName": renamed}},
    ]
    return found


def variables(*, horizon: bool) -> list[Json]:
    """Data source, job and instance; and the horizons, for panels that are repeated for each."""

    def asked(name: str, label: str, query: str, about: str, **more: Any) -> Json:
        return {
            "datasource": SOURCE,
            "definition": query,
            "description": about,
            "hide": 0,
            "includeAll": False,
            "label": label,
            "multi": False,
            "name": name,
            "query": {"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
            "refresh": 2,
            "regex": "",
            "sort": 1,
            "type": "query",
        } | more

    source = {
        "description": "The Prometheus that scrapes the daemon.",
        "hide": 0,
        "includeAll": False,
        "label": "Data source",
        "multi": False,
        "name": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "regex": "",
        "type": "datasource",
    }
    found = [
        source,
        asked("job", "Job", "label_values(monitor_build_info, job)", "The scrape job of the daemons."),
        asked(
            "instance", "Instance", 'label_values(monitor_build_info{job="$job"}, instance)', "The host to look at."
        ),
    ]
    if horizon:
        # In the order of the base rates: that is the order of the horizons, which no sorting of their names gives.
        query = f"query_result(sort(last_over_time({metric('high_load_baseline_probability')}[$__range])))"
        all_of_them = {"text": ["All"], "value": ["$__all"]}
        more = {"includeAll": True, "multi": True, "current": all_of_them, "sort": 0, "regex": '/horizon="([^"]+)"/'}
        ordered = asked("horizon", "Horizon", query, "How far ahead is predicted.", **more)
        ordered["query"]["qryType"] = 3
        found.append(ordered)
    return found


def annotation(name: str, expr: str, colour: str, **more: Any) -> Json:
    """Marks on the panels of time while a series is above 0."""
    return {
        "datasource": SOURCE,
        "enable": True,
        "expr": expr,
        "hide": False,
        "iconColor": colour,
        "name": name,
        "step": "60s",
        "tagKeys": "",
        "target": {"expr": expr, "interval": "60s", "refId": "Anno"},
        "textFormat": "",
        "titleFormat": name,
    } | more


ANNOTATIONS = [
    annotation(
        "Warnings",
        metric("high_load_warning") + " == 1",
        ORANGE,
        titleFormat="High load is expected within {{horizon}}",
        tagKeys="horizon",
    ),
    annotation("Anomalies", metric("anomaly_active") + " == 1", PURPLE, titleFormat="Anomaly"),
    annotation(
        "New models",
        metric("model_trained_timestamp_seconds") + " * 1000",
        BLUE,
        titleFormat="The serving model was trained",
        useValueForTime=True,
    ),
]


def placed(rows: Iterable[tuple[str, Sequence[Json]]]) -> list[Json]:
    """Gives panels their ids and places: from left to right, and on to the next line where one is full."""
    found: list[Json] = []
    y = 0
    for title, panels in rows:
        if title:
            grid = {"h": 1, "w": WIDTH, "x": 0, "y": y}
            row = {"collapsed": False, "gridPos": grid, "id": len(found) + 1, "panels": [], "title": title}
            found.append(row | {"type": "row"})
            y += 1
        x = height = 0
        for one in panels:
            grid = one["gridPos"]
            if x + grid["w"] > WIDTH:
                x, y, height = 0, y + height, 0
            found.append(one | {"id": len(found) + 1, "gridPos": grid | {"x": x, "y": y}})
            x, height = x + grid["w"], max(height, grid["h"])
        y += height
    return found


@dataclass(frozen=True)
class Page:
    """One dashboard."""

    name: str
    title: str
    about: str
    since: str
    refresh: str
    rows: Sequence[tuple[str, Sequence[Json]]]

    def json(self) -> Json:
        """As Grafana reads it."""
        panels = placed(self.rows)
        link = {
            "asDropdown": False,
            "icon": "external link",
            "includeVars": True,
            "keepTime": True,
            "tags": ["monitor"],
            "targetBlank": False,
            "title": "monitor",
            "tooltip": "",
            "type": "dashboards",
        }
        return {
            "annotations": {"list": ANNOTATIONS},
            "description": self.about,
            "editable": True,
            "fiscalYearStartMonth": 0,
            "graphTooltip": 1,
            "links": [link],
            "panels": panels,
            "refresh": self.refresh,
            "schemaVersion": 39,
            "tags": ["monitor"],
            "templating": {"list": variables(horizon=any("repeat" in one for one in panels))},
            "time": {"from": self.since, "to": "now"},
            "timepicker": {},
            "timezone": "browser",
            "title": self.title,
            "uid": f"monitor-{self.name}",
            "version": 1,
            "weekStart": "",
        }


REPEATED = {"repeat": "horizon", "repeatDirection": "h", "maxPerRow": 3}
RATIO = {"min": 0, "max": 1}

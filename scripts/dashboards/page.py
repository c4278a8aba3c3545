"""Dashboard pages: variables, annotations and layout of panels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.panels import BLUE, ORANGE, PURPLE, SOURCE, WIDTH, Json, metric


def dashboard_variables(*, horizon: bool) -> list[Json]:
    """Return the variables: data source, job, instance, and the horizon of repeated panels."""

    def query_variable(name: str, label: str, query: str, about: str, **more: Any) -> Json:
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
    variables = [
        source,
        query_variable("job", "Job", "label_values(monitor_build_info, job)", "The scrape job of the daemons."),
        query_variable(
            "instance", "Instance", 'label_values(monitor_build_info{job="$job"}, instance)', "The host to look at."
        ),
    ]
    if horizon:
        # Sorted by base rate, which increases with the horizon; names do not sort by length.
        query = f"query_result(sort(last_over_time({metric('high_load_baseline_probability')}[$__range])))"
        all_of_them = {"text": ["All"], "value": ["$__all"]}
        more = {"includeAll": True, "multi": True, "current": all_of_them, "sort": 0, "regex": '/horizon="([^"]+)"/'}
        ordered = query_variable("horizon", "Horizon", query, "Time ahead of the prediction.", **more)
        ordered["query"]["qryType"] = 3
        variables.append(ordered)
    return variables


def annotation(name: str, expr: str, colour: str, **more: Any) -> Json:
    """Return an annotation for the times at which a series is above 0."""
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
        titleFormat="High load predicted within {{horizon}}",
        tagKeys="horizon",
    ),
    annotation("Anomalies", metric("anomaly_active") + " == 1", PURPLE, titleFormat="Anomaly"),
    annotation(
        "New models",
        metric("model_trained_timestamp_seconds") + " * 1000",
        BLUE,
        titleFormat="New serving model",
        useValueForTime=True,
    ),
]


def with_positions(rows: Iterable[tuple[str, Sequence[Json]]]) -> list[Json]:
    """Return the panels of all rows with ids and grid positions, wrapped at WIDTH."""
    positioned: list[Json] = []
    y = 0
    for title, panels in rows:
        if title:
            grid = {"h": 1, "w": WIDTH, "x": 0, "y": y}
            row = {"collapsed": False, "gridPos": grid, "id": len(positioned) + 1, "panels": [], "title": title}
            positioned.append(row | {"type": "row"})
            y += 1
        x = height = 0
        for entry in panels:
            grid = entry["gridPos"]
            if x + grid["w"] > WIDTH:
                x, y, height = 0, y + height, 0
            positioned.append(entry | {"id": len(positioned) + 1, "gridPos": grid | {"x": x, "y": y}})
            x, height = x + grid["w"], max(height, grid["h"])
        y += height
    return positioned


@dataclass(frozen=True)
class Page:
    """A Grafana dashboard.

    Attributes:
        name: name of the file, without suffix.
        title: title.
        about: description.
        since: start of the time range that is shown first, such as "now-6h".
        refresh: time between two refreshes, such as "30s".
        rows: (title, panels) of each row; a row without a title has no heading.
    """

    name: str
    title: str
    about: str
    since: str
    refresh: str
    rows: Sequence[tuple[str, Sequence[Json]]]

    def json(self) -> Json:
        """Return the dashboard in the JSON model of Grafana."""
        panels = with_positions(self.rows)
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
            "templating": {"list": dashboard_variables(horizon=any("repeat" in entry for entry in panels))},
            "time": {"from": self.since, "to": "now"},
            "timepicker": {},
            "timezone": "browser",
            "title": self.title,
            "uid": f"monitor-{self.name}",
            "version": 1,
            "weekStart": "",
        }

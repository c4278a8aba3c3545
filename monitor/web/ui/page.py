"""HTML pages: template rendering of the documents of the JSON API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from monitor.documents.anomalies import RECENT
from monitor.documents.anomalies.actions import ACTIONS_OFF, ActionsDocument
from monitor.operator_input import MAX_NOTE
from monitor.queries.history import MAX_RANGE
from monitor.sampling.metric_catalog import HOST_METRICS
from monitor.web.api import Api, ApiError
from monitor.web.ui.environment import environment
from monitor.web.ui.what_if import RANGES as WHAT_IF_RANGES
from monitor.web.ui.what_if import what_if_view
from storage import StorageError

Value = TypeVar("Value")
Default = TypeVar("Default")

RANGES = (
    ("15m", "15 min"),
    ("1h", "1 h"),
    ("6h", "6 h"),
    ("24h", "24 h"),
    ("7d", "7 d"),
    ("30d", "30 d"),
    ("90d", "90 d"),
)
"""Time ranges of the charts: value of the API parameter, label."""

LISTED_ANOMALIES = 10
"""Largest number of anomaly events in the table."""

HOLDOUT_SCORES = {"brier": 4, "brier_skill": 3, "average_precision": 3, "calibration_error": 3}
"""Scores in the table of the serving model, with their number of decimals."""


def render_page(
    api: Api,
    host: str,
    path: str,
    speed: float = 1.0,
    actions: ActionsDocument = ACTIONS_OFF,
    query: Mapping[str, str] | None = None,
) -> str:
    """Return an HTML page, rendered from the current documents of the API.

    Args:
        api: source of all figures on the page.
        host: name of this machine.
        path: one of the paths of PAGES.
        speed: seconds of the clock per second; the page refreshes that much more often.
        actions: permission to record something.
        query: parameters of the page.
    """
    name, read_context = _TEMPLATES[path]
    return (
        environment()
        .get_template(name)
        .render(
            host=host,
            path=path,
            actions=actions,
            speed=speed,
            status=_value_or(None, api.status),
            document_paths=("/metrics", "/-/healthy", "/-/ready", *api.documents),
            host_metrics=HOST_METRICS,
            **read_context(api, query or {}),
        )
    )


def _overview(api: Api, _query: Mapping[str, str]) -> dict[str, object]:
    return {
        "predictions": api.prediction(),
        "anomalies": _value_or((), api.anomalies)[:LISTED_ANOMALIES],
        "scorecard": _value_or(None, api.scorecard),
        "ranges": RANGES,
        "metrics": {metric.field: {"unit": metric.unit, "source": metric.source} for metric in HOST_METRICS},
        "max_range": MAX_RANGE,
    }


def _model(api: Api, _query: Mapping[str, str]) -> dict[str, object]:
    return {
        "model": api.model(),
        "models": _value_or((), api.models),
        "training": api.training(),
        "holdout_scores": HOLDOUT_SCORES,
    }


def _configuration(api: Api, query: Mapping[str, str]) -> dict[str, object]:
    model = api.model()
    report = None if model is None else model.report
    return {
        "configuration": api.configuration(),
        "resolved_rules": () if report is None else report.rules,
        "what_if": what_if_view(api, query),
        "what_if_ranges": WHAT_IF_RANGES,
    }


def _maintenance(api: Api, _query: Mapping[str, str]) -> dict[str, object]:
    return {
        "windows": _value_or(None, lambda: api.maintenance(RECENT)),
        "recurring": api.recurring_windows(),
        "now": api.now(),
        "max_note": MAX_NOTE,
    }


_TEMPLATES: dict[str, tuple[str, Callable[[Api, Mapping[str, str]], dict[str, object]]]] = {
    "/": ("overview.html", _overview),
    "/model": ("model.html", _model),
    "/config": ("config.html", _configuration),
    "/maintenance": ("maintenance.html", _maintenance),
}
"""For each page, its template and a function that reads the documents which only this page shows."""


def _value_or(default: Default, read: Callable[[], Value]) -> Default | Value:
    """Return a document, or a default if it is not available yet or the database cannot be read."""
    try:
        return read()
    except (ApiError, StorageError):
        return default

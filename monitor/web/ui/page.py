"""HTML page: renders the documents of the JSON API through templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitor.exporter.collector import HOST_HELP
from monitor.web.api import Api, ApiError
from monitor.web.ui.environment import environment

RANGES = (("15m", "15 min"), ("1h", "1 h"), ("6h", "6 h"), ("24h", "24 h"), ("7d", "7 d"))
"""Time ranges of the charts: value of the API parameter, label."""

LISTED_ANOMALIES = 10

HOLDOUT_SCORES = {"brier": 4, "brier_skill": 3, "average_precision": 3, "calibration_error": 3}
"""Scores in the table of the serving model, with their number of decimals."""


@dataclass(frozen=True)
class HostMetric:
    """Name, unit and description of a host metric."""

    name: str
    unit: str
    description: str


@dataclass(frozen=True)
class PageDocuments:
    """Documents that the page shows; None for those that are not available."""

    status: Any
    predictions: Any
    anomalies: Any
    model: Any
    training: Any


def render_page(api: Api, host: str) -> str:
    """Return the page for the current state.

    Args:
        api: source of all figures on the page.
        host: name of this machine.
    """
    documents = read_documents(api)
    return (
        environment()
        .get_template("page.html")
        .render(
            host=host,
            status=documents.status,
            predictions=documents.predictions or [],
            anomalies=(documents.anomalies or [])[:LISTED_ANOMALIES],
            model=documents.model,
            training=documents.training,
            ranges=RANGES,
            metric_units={name: unit for name, (unit, _) in HOST_HELP.items()},
            host_metrics=[HostMetric(name, unit, text) for name, (unit, text) in HOST_HELP.items()],
            holdout_scores=HOLDOUT_SCORES,
            document_paths=("/metrics", "/-/healthy", "/-/ready", *api.documents),
        )
    )


def read_documents(api: Api) -> PageDocuments:
    """Read the documents of the page."""
    return PageDocuments(
        status=_document_or_none(api, "/api/v1/status"),
        predictions=_document_or_none(api, "/api/v1/prediction"),
        anomalies=_document_or_none(api, "/api/v1/anomalies"),
        model=_document_or_none(api, "/api/v1/model"),
        training=_document_or_none(api, "/api/v1/training"),
    )


def _document_or_none(api: Api, path: str) -> Any:
    """Return a document, None if it is not available yet or the database cannot be read."""
    try:
        return api.answer(path, {})
    except ApiError:
        return None

"""HTML page: template rendering of the documents of the JSON API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from monitor.documents.anomalies import AnomalyDocument
from monitor.documents.models import ModelDocument
from monitor.documents.prediction import PredictionDocument
from monitor.documents.scores import ScorecardDocument
from monitor.documents.status import StatusDocument
from monitor.documents.training import RunDocument
from monitor.queries.history import MAX_RANGE
from monitor.sampling.metric_catalog import HOST_METRICS
from monitor.web.api import Api, ApiError
from monitor.web.ui.environment import environment
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


@dataclass(frozen=True)
class PageDocuments:
    """Documents that the page shows; a document that is not available yet is None or empty."""

    status: StatusDocument | None
    predictions: tuple[PredictionDocument, ...]
    anomalies: tuple[AnomalyDocument, ...]
    model: ModelDocument | None
    training: RunDocument | None
    scorecard: ScorecardDocument | None


def render_page(api: Api, host: str, speed: float = 1.0) -> str:
    """Return the HTML page, rendered from the current documents of the API.

    Args:
        api: source of all figures on the page.
        host: name of this machine.
        speed: seconds of the clock per second; the page refreshes that much more often.
    """
    documents = read_documents(api)
    template = environment().get_template("page.html")
    return template.render(
        host=host,
        speed=speed,
        status=documents.status,
        predictions=documents.predictions,
        anomalies=documents.anomalies,
        model=documents.model,
        training=documents.training,
        scorecard=documents.scorecard,
        ranges=RANGES,
        metrics={metric.field: {"unit": metric.unit, "source": metric.source} for metric in HOST_METRICS},
        max_range=MAX_RANGE,
        host_metrics=HOST_METRICS,
        holdout_scores=HOLDOUT_SCORES,
        document_paths=("/metrics", "/-/healthy", "/-/ready", *api.documents),
    )


def read_documents(api: Api) -> PageDocuments:
    """Read the documents of the page from the API; a document that is not available is None or empty."""
    return PageDocuments(
        status=_value_or(None, api.status),
        predictions=api.prediction(),
        anomalies=_value_or((), api.anomalies)[:LISTED_ANOMALIES],
        model=api.model(),
        training=api.training(),
        scorecard=_value_or(None, api.scorecard),
    )


def _value_or(default: Default, read: Callable[[], Value]) -> Default | Value:
    """Return a document, or a default if it is not available yet or the database cannot be read."""
    try:
        return read()
    except (ApiError, StorageError):
        return default

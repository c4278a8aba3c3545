"""The JSON API: what the commands print with --json, as of now, and the curves of the last hours."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from model.units import HOUR, MINUTE
from monitor.config.durations import parse_duration
from monitor.queries.history import LONGEST, MOST_POINTS, Curves
from monitor.queries.status import status_document
from monitor.reports.anomalies import SHOWN
from monitor.reports.predictions import forecast_document
from monitor.reports.training import models_document
from monitor.state import DaemonState
from monitor.stores import Stores
from monitor.system.formatting import approximate_duration
from monitor.system.json_codec import to_plain
from monitor.training.records import registered_model
from storage import StorageError

LONGEST_ECHO = 60
"""Characters of a query that an error repeats."""

Query = Mapping[str, str]


class ApiError(Exception):
    """What cannot be answered: a code of HTTP, and why."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Records:
    """What is read from the database when somebody asks. Safe to use from several threads."""

    def __init__(self, stores: Stores, curves: Curves) -> None:
        self._stores, self._curves = stores, curves

    def anomalies(self) -> list[dict[str, Any]]:
        """Those of the last 30 days, newest first."""
        return [asdict(anomaly) for anomaly in self._stores.anomalies.since(time.time() - SHOWN)]

    def models(self) -> list[dict[str, Any]]:
        """Newest first, without their reports."""
        registry = self._stores.registry
        return models_document([registered_model(record) for record in registry.history()], registry.active_id())

    def curves(self, seconds: float, points: int, status: DaemonState) -> dict[str, Any]:
        """Those of the last `seconds`."""
        trail = status.anomaly.recent_scores if status.anomaly else np.empty((0, 3))
        return self._curves.document(seconds, points, time.time(), trail)


class Api:
    """Each document by the path that it is found at."""

    def __init__(self, status: Callable[[], DaemonState], records: Callable[[], Records | None]) -> None:
        """Nothing is read before it is asked for.

        Args:
            status: the status of the moment.
            records: what reads the database; None while it is not open.
        """
        self._status, self._records = status, records
        self.documents: dict[str, Callable[[Query], Any]] = {
            "/api/v1/status": self._now,
            "/api/v1/prediction": self._prediction,
            "/api/v1/history": self._history,
            "/api/v1/anomalies": lambda _: self._stored().anomalies(),
            "/api/v1/models": lambda _: self._stored().models(),
            "/api/v1/model": self._model,
            "/api/v1/training": self._training,
        }

    def answer(self, path: str, query: Query) -> Any:
        """The document of a path, as plain data.

        Raises:
            ApiError: it cannot be had, or the query makes no sense.
        """
        unknown = set(query) - ({"range", "points"} if path == "/api/v1/history" else set())
        if unknown:
            raise ApiError(400, f"{path} takes no parameter {', '.join(sorted(unknown))[:LONGEST_ECHO]}")
        try:
            return self.documents[path](query)
        except StorageError as error:
            raise ApiError(503, str(error)) from error

    def _now(self, _: Query) -> Any:
        """What `status --json` prints, with the figures of the last tick rather than the last stored ones."""
        status = self._status()
        overview, live = status.overview, status.live
        if overview is None:
            raise ApiError(503, "not sampling yet")
        if live is not None:
            predictions = live.forecast.predictions if live.forecast else ()
            overview = replace(overview, at=time.time(), last_sample=live.sample, predictions=predictions)
        return {
            **status_document(overview),
            "version": status.version,
            "interval": overview.interval,
            "high_load": None if live is None else live.high_load,
            "samples_missed": None if live is None else live.samples_missed,
            "reload_successful": status.reload_successful,
        }

    def _prediction(self, _: Query) -> Any:
        live = self._status().live
        return [] if live is None or live.forecast is None else forecast_document(live.forecast)

    def _history(self, query: Query) -> Any:
        seconds = _within(query, "range", 6 * HOUR, (MINUTE, LONGEST), parse_duration, approximate_duration)
        points = _within(query, "points", 360, (10, MOST_POINTS), _whole, str)
        return self._stored().curves(float(seconds), int(points), self._status())

    def _model(self, _: Query) -> Any:
        overview = self._status().overview
        return None if overview is None or overview.model is None else to_plain(overview.model)

    def _training(self, _: Query) -> Any:
        overview = self._status().overview
        return None if overview is None or overview.last_run is None else to_plain(overview.last_run)

    def _stored(self) -> Records:
        records = self._records()
        if records is None:
            raise ApiError(503, "the database is not open yet")
        return records


def _within(
    query: Query,
    name: str,
    default: float,
    bounds: tuple[float, float],
    read: Callable[[str], float],
    write: Callable[[float], str],
) -> float:
    """A parameter, or its default."""
    given = query.get(name)
    if given is None:
        return default
    told = f"{name} is from {write(bounds[0])} to {write(bounds[1])}"
    given = given[:LONGEST_ECHO]
    try:
        value = read(given)
    except ValueError as error:
        raise ApiError(400, f"{name}={given}: {told}") from error
    if not bounds[0] <= value <= bounds[1]:
        raise ApiError(400, f"{name}={given}: {told}")
    return value


def _whole(text: str) -> int:
    """A number as everybody writes it: `int` would take 1_000, spaces and the digits of other scripts."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text)


def encoded(document: Any) -> bytes:
    """The document as JSON, which knows no NaN: what is not a number is null."""
    try:
        text = json.dumps(document, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(document))
    return text.encode()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(of) for key, of in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(of) for of in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

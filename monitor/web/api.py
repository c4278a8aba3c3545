"""JSON API: the documents that the commands print with --json, and the recent history."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from model.units import HOUR, MINUTE
from monitor.config.durations import parse_duration
from monitor.documents.anomalies import RECENT, AnomalyDocument, anomaly_document
from monitor.documents.history import HistoryDocument, history_document
from monitor.documents.models import ModelDocument, ModelListEntry, model_document, model_list_entry
from monitor.documents.prediction import PredictionDocument, prediction_documents
from monitor.documents.scores import ScorecardDocument, scorecard_document
from monitor.documents.status import StatusDocument, daemon_status_document
from monitor.documents.training import RunDocument, run_document
from monitor.queries.anomaly_scores import AnomalyScores
from monitor.queries.history import MAX_POINTS, MAX_RANGE, HistoryReader
from monitor.queries.scorecard import ScorecardReader
from monitor.state import DaemonState
from monitor.stores import Stores
from monitor.system.formatting import approximate_duration
from monitor.training.records import registered_model
from storage import StorageError

MAX_ECHO = 60
"""Largest number of characters of a query that an error message quotes."""

DEFAULT_RANGE = 6 * HOUR
DEFAULT_POINTS = 360
MIN_POINTS = 10

HISTORY_PATH = "/api/v1/history"
HISTORY_PARAMETERS = {"range", "points"}

Query = Mapping[str, str]


class ApiError(Exception):
    """Raised if a document is not available or the query is invalid; `code` is the HTTP status code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class StoredDocuments:
    """Reader of the documents that are computed from the database on request; thread-safe."""

    def __init__(
        self,
        stores: Stores,
        history: HistoryReader,
        scorecard: ScorecardReader,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._stores = stores
        self._history = history
        self._scorecard = scorecard
        self._entries: dict[int, ModelListEntry] = {}

    def anomalies(self) -> tuple[AnomalyDocument, ...]:
        """Return the anomaly events of the last 30 days, newest first."""
        return tuple(map(anomaly_document, self._stores.anomalies.since(self._clock() - RECENT)))

    def models(self) -> tuple[ModelListEntry, ...]:
        """Return the registered models, newest first."""
        registry = self._stores.registry
        active = registry.active_id()
        quarantined = registry.quarantined()
        entries = []
        for record in registry.history():
            # The report, which is large, is decoded once for each model.
            known = self._entries.get(record.id)
            entry = model_list_entry(registered_model(record), None) if known is None else known
            parts = tuple(failed.part for failed in quarantined if failed.model_id == record.id)
            serving = record.id == active
            entries.append(replace(entry, promoted_at=record.promoted_at, serving=serving, quarantined=parts))
        self._entries = {entry.id: entry for entry in entries}
        return tuple(entries)

    def scorecard(self) -> ScorecardDocument:
        """Return the event scorecard of the last 7 days, with baselines computed at most once an hour."""
        return scorecard_document(*self._scorecard.read(self._clock()))

    def history(self, seconds: float, points: int, state: DaemonState) -> HistoryDocument:
        """Return samples, predictions, anomaly scores and high-load periods, downsampled to time slots.

        Args:
            seconds: length of the history, which ends now.
            points: largest number of time slots.
            state: state of the daemon; the recent anomaly scores are read from it, not from the database.
        """
        recent_scores = state.anomaly.recent_scores if state.anomaly else AnomalyScores()
        return history_document(self._history.read(seconds, points, self._clock(), recent_scores))


class Api:
    """JSON API of the daemon, which returns the current document of each path.

    Attributes:
        documents: for each path, a function from the query parameters to the document.
    """

    def __init__(self, state: Callable[[], DaemonState], stored: Callable[[], StoredDocuments | None]) -> None:
        """Initialize the API; documents are read on request.

        Args:
            state: returns the current state of the daemon.
            stored: returns the reader of the database; None while the database is not open.
        """
        self._state = state
        self._stored = stored
        self.documents: dict[str, Callable[[Query], object]] = {
            "/api/v1/status": lambda _: self.status(),
            "/api/v1/prediction": lambda _: self.prediction(),
            HISTORY_PATH: self._history,
            "/api/v1/anomalies": lambda _: self.anomalies(),
            "/api/v1/models": lambda _: self._reader().models(),
            "/api/v1/model": lambda _: self.model(),
            "/api/v1/training": lambda _: self.training(),
            "/api/v1/scorecard": lambda _: self.scorecard(),
        }

    def answer(self, path: str, query: Query) -> object:
        """Return the document that the API serves at a path.

        Args:
            path: a key of `documents`.
            query: query parameters; only the history has any.

        Raises:
            ApiError: the document is not available, or the query is invalid.
        """
        unknown = set(query) - (HISTORY_PARAMETERS if path == HISTORY_PATH else set())
        if unknown:
            raise ApiError(400, f"{path} takes no parameter {', '.join(sorted(unknown))[:MAX_ECHO]}")
        try:
            return self.documents[path](query)
        except StorageError as error:
            raise ApiError(503, str(error)) from error

    def status(self) -> StatusDocument:
        """Return the status document of the daemon for the current time.

        Raises:
            ApiError: the daemon has not read the database yet.
        """
        document = daemon_status_document(self._state(), time.time())
        if document is None:
            raise ApiError(503, "not sampling yet")
        return document

    def prediction(self) -> tuple[PredictionDocument, ...]:
        """Return the newest prediction, one document per horizon; empty if there is none."""
        live = self._state().live
        return () if live is None or live.forecast is None else prediction_documents(live.forecast)

    def anomalies(self) -> tuple[AnomalyDocument, ...]:
        """Return the anomaly events of the last 30 days, newest first.

        Raises:
            ApiError: the database is not open.
            StorageError: the database cannot be read.
        """
        return self._reader().anomalies()

    def scorecard(self) -> ScorecardDocument:
        """Return the event scorecard of the last 7 days.

        Raises:
            ApiError: the database is not open.
            StorageError: the database cannot be read.
        """
        return self._reader().scorecard()

    def model(self) -> ModelDocument | None:
        """Return the document of the serving model; None if no model serves."""
        overview = self._state().overview
        if overview is None or overview.model is None:
            return None
        return model_document(overview.model, overview.model.id)

    def training(self) -> RunDocument | None:
        """Return the document of the newest training run; None before the first run."""
        overview = self._state().overview
        return None if overview is None or overview.last_run is None else run_document(overview.last_run)

    def _history(self, query: Query) -> HistoryDocument:
        seconds = _range(query)
        points = _points(query)
        return self._reader().history(seconds, points, self._state())

    def _reader(self) -> StoredDocuments:
        stored = self._stored()
        if stored is None:
            raise ApiError(503, "the database is not open yet")
        return stored


def _range(query: Query) -> float:
    """Return the requested length of the history in seconds; DEFAULT_RANGE if the parameter is missing.

    Raises:
        ApiError: the value is not a duration from a minute to MAX_RANGE.
    """
    text = query.get("range")
    if text is None:
        return DEFAULT_RANGE
    bounds = f"range is from {approximate_duration(MINUTE)} to {approximate_duration(MAX_RANGE)}"
    invalid = ApiError(400, f"range={text[:MAX_ECHO]}: {bounds}")
    try:
        seconds = parse_duration(text[:MAX_ECHO])
    except ValueError as error:
        raise invalid from error
    if not MINUTE <= seconds <= MAX_RANGE:
        raise invalid
    return seconds


def _points(query: Query) -> int:
    """Return the requested number of time slots; DEFAULT_POINTS if the parameter is missing.

    Raises:
        ApiError: the value is not a whole number from MIN_POINTS to MAX_POINTS.
    """
    text = query.get("points")
    if text is None:
        return DEFAULT_POINTS
    invalid = ApiError(400, f"points={text[:MAX_ECHO]}: points is from {MIN_POINTS} to {MAX_POINTS}")
    # The function `int` also accepts underscores, spaces and the digits of other scripts.
    if not (text.isascii() and text.isdigit()) or len(text) > MAX_ECHO:
        raise invalid
    points = int(text)
    if not MIN_POINTS <= points <= MAX_POINTS:
        raise invalid
    return points

"""JSON API: the documents that the commands print with --json, and the recent history."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from monitor.config.maintenance_windows import window_text
from monitor.documents.anomalies import AnomalyDetailsDocument, AnomalyDocument, MaintenanceDocument
from monitor.documents.configuration import ConfigCheckDocument
from monitor.documents.history import HistoryDocument
from monitor.documents.models import ModelDocument, ModelListEntry, model_document
from monitor.documents.prediction import PredictionDocument, prediction_documents
from monitor.documents.scores import ScorecardDocument
from monitor.documents.status import StatusDocument, daemon_status_document
from monitor.documents.status.capacity import CapacityDocument, capacity_document
from monitor.documents.training import RunDocument, run_document
from monitor.state import DaemonState
from monitor.stores import Stores
from monitor.web.api.parameters import MAX_ECHO, ApiError, Query, history_period, history_points, row_id
from monitor.web.api.stored_documents import StoredDocuments
from storage import StorageError, UnknownAnomalyError

if TYPE_CHECKING:
    from monitor.documents.what_if import WhatIfDocument
    from monitor.queries.what_if import Setting

ANOMALIES_PATH = "/api/v1/anomalies"
MAINTENANCE_PATH = "/api/v1/maintenance"
HISTORY_PATH = "/api/v1/history"
WHAT_IF_PATH = "/api/v1/what-if"
HISTORY_PARAMETERS = {"range", "from", "to", "points"}


class Api:
    """JSON API of the daemon, which returns the current document of each path.

    Attributes:
        documents: for each path, a function from the query parameters to the document.
    """

    def __init__(
        self,
        state: Callable[[], DaemonState],
        stored: Callable[[], StoredDocuments | None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Initialize the API; documents are read on request.

        Args:
            state: returns the current state of the daemon.
            stored: returns the reader of the database; None while the database is not open.
            clock: returns the current time in seconds since the epoch.
        """
        self._state = state
        self._stored = stored
        self._clock = clock
        self.documents: dict[str, Callable[[Query], object]] = {
            "/api/v1/status": lambda _: self.status(),
            "/api/v1/prediction": lambda _: self.prediction(),
            HISTORY_PATH: self._history,
            ANOMALIES_PATH: lambda _: self.anomalies(),
            MAINTENANCE_PATH: lambda _: self.maintenance(),
            "/api/v1/warnings": lambda _: self._reader().warnings(),
            "/api/v1/models": lambda _: self.models(),
            "/api/v1/model": lambda _: self.model(),
            "/api/v1/training": lambda _: self.training(),
            "/api/v1/config": lambda _: self.configuration(),
            "/api/v1/scorecard": lambda _: self.scorecard(),
            "/api/v1/capacity": lambda _: self.capacity(),
            WHAT_IF_PATH: self.what_if,
        }

    def answer(self, path: str, query: Query) -> object:
        """Return the document that the API serves at a path.

        Args:
            path: a key of `documents`, or ANOMALIES_PATH with the ID of an event.
            query: query parameters; only the history and what-if have any.

        Raises:
            ApiError: the document is not available, or the query is invalid.
        """
        unknown = set(query) - (HISTORY_PARAMETERS if path == HISTORY_PATH else set())
        if unknown and path != WHAT_IF_PATH:
            raise ApiError(400, f"{path} takes no parameter {', '.join(sorted(unknown))[:MAX_ECHO]}")
        try:
            if path in self.documents:
                return self.documents[path](query)
            return self.anomaly(path.removeprefix(f"{ANOMALIES_PATH}/"))
        except StorageError as error:
            raise ApiError(503, str(error)) from error

    def status(self) -> StatusDocument:
        """Return the status document of the daemon for the current time.

        Raises:
            ApiError: the daemon has not read the database yet.
        """
        document = daemon_status_document(self._state(), self._clock())
        if document is None:
            raise ApiError(503, "not sampling yet")
        return document

    def prediction(self) -> tuple[PredictionDocument, ...]:
        """Return the newest prediction, one document per horizon; empty if there is none."""
        live = self._state().live
        return () if live is None or live.forecast is None else prediction_documents(live.forecast)

    def capacity(self) -> CapacityDocument:
        """Return the newest predictions of full file systems and exhausted memory.

        Raises:
            ApiError: there is no prediction yet, or they are disabled.
        """
        state = self._state().capacity
        if state is None:
            raise ApiError(503, "no capacity prediction yet: see capacity.enabled")
        return capacity_document(state)

    def anomalies(self) -> tuple[AnomalyDocument, ...]:
        """Return the anomaly events of the last 30 days, newest first.

        Raises:
            ApiError: the database is not open.
            StorageError: the database cannot be read.
        """
        return self._reader().anomalies()

    def anomaly(self, event_id: str) -> AnomalyDetailsDocument:
        """Return one anomaly event with its context.

        Args:
            event_id: ID of the event, as part of a path.

        Raises:
            ApiError: there is no such event, or the database is not open.
            StorageError: the database cannot be read.
        """
        number = row_id(event_id)
        try:
            return self._reader().anomaly(number)
        except UnknownAnomalyError as error:
            raise ApiError(404, f"there is no anomaly event {number}") from error

    def maintenance(self, past: float = 0.0) -> tuple[MaintenanceDocument, ...]:
        """Return the maintenance windows that are active or planned, and those that ended in the last `past` seconds.

        Raises:
            ApiError: the database is not open.
            StorageError: the database cannot be read.
        """
        return self._reader().maintenance(past)

    def scorecard(self) -> ScorecardDocument:
        """Return the event scorecard of the last 7 days.

        Raises:
            ApiError: the database is not open.
            StorageError: the database cannot be read.
        """
        return self._reader().scorecard()

    def what_if(self, query: Query) -> WhatIfDocument:
        """Return the warnings that another precision or other bounds would have given.

        Raises:
            ApiError: the query is invalid, or the database is not open.
            StorageError: the database cannot be read.
        """
        # Imported late: few daemons are asked.
        from monitor.queries.what_if import WhatIfError  # noqa: PLC0415
        from monitor.web.api.what_if_query import what_if_change  # noqa: PLC0415

        try:
            return self._reader().what_if(what_if_change(query), self._state().config)
        except WhatIfError as error:
            raise ApiError(400, str(error)) from error

    def what_if_setting(self) -> Setting | None:
        """Return the present setting; None if it is not known yet."""
        from monitor.queries.what_if import WhatIfError  # noqa: PLC0415

        try:
            return self._reader().what_if_setting(self._state().config)
        except (ApiError, WhatIfError):
            return None

    def configuration(self) -> ConfigCheckDocument:
        """Return the configuration in effect, with credentials redacted."""
        # Imported late: few daemons are asked for their configuration.
        from monitor.config.reference import effective_values  # noqa: PLC0415

        config = self._state().config
        return ConfigCheckDocument(str(config.path) if config.path else None, config=effective_values(config))

    def models(self) -> tuple[ModelListEntry, ...]:
        """Return the registered models, newest first.

        Raises:
            ApiError: the database is not open.
            StorageError: the database cannot be read.
        """
        return self._reader().models()

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

    def recurring_windows(self) -> tuple[str, ...]:
        """Return the recurring maintenance windows of the configuration, such as `daily 03:00-03:30`."""
        return tuple(map(window_text, self._state().config.anomaly.maintenance))

    def now(self) -> float:
        """Return the current time in seconds since the epoch."""
        return self._clock()

    def stores(self) -> Stores:
        """Return the repositories of the database.

        Raises:
            ApiError: the database is not open.
        """
        return self._reader().stores

    def _history(self, query: Query) -> HistoryDocument:
        period = history_period(query)
        points = history_points(query)
        return self._reader().history(period, points, self._state())

    def _reader(self) -> StoredDocuments:
        stored = self._stored()
        if stored is None:
            raise ApiError(503, "the database is not open yet")
        return stored

"""Stored documents: documents that are computed from the database on request."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.config.loader import Config
from monitor.documents.anomalies import (
    RECENT,
    AnomalyDetailsDocument,
    AnomalyDocument,
    MaintenanceDocument,
    WarningDocument,
    anomaly_details_document,
    anomaly_document,
    maintenance_document,
    warning_document,
)
from monitor.documents.history import HistoryDocument, history_document
from monitor.documents.models import ModelListEntry, model_list_entry
from monitor.documents.scores import ScorecardDocument, scorecard_document
from monitor.queries.anomaly_details import read_anomaly_details
from monitor.queries.anomaly_scores import AnomalyScores
from monitor.queries.history import HistoryReader
from monitor.queries.scorecard import ScorecardReader
from monitor.state import DaemonState
from monitor.stores import Stores
from monitor.training.records import registered_model
from monitor.web.api.parameters import HistoryPeriod

if TYPE_CHECKING:
    from monitor.documents.what_if import WhatIfDocument
    from monitor.queries.what_if import Setting, WhatIfChange, WhatIfReader


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
        self._what_if: tuple[Config | None, WhatIfReader | None] = (None, None)

    def what_if(self, change: WhatIfChange, config: Config) -> WhatIfDocument:
        """Return the warnings of the configuration and of a changed setting on the stored history.

        Raises:
            WhatIfError: the change is not possible.
        """
        from monitor.documents.what_if import what_if_document  # noqa: PLC0415 - few daemons are asked

        return what_if_document(self._what_if_reader(config).read(change, self._clock()), config)

    def what_if_setting(self, config: Config) -> Setting:
        """Return the present setting of a configuration.

        Raises:
            WhatIfError: a bound is a quantile that no model has resolved.
        """
        return self._what_if_reader(config).setting()

    def _what_if_reader(self, config: Config) -> WhatIfReader:
        from monitor.queries.what_if import WhatIfReader  # noqa: PLC0415

        kept, reader = self._what_if
        if reader is None or kept is not config:
            reader = WhatIfReader(self._stores, config, lambda: self._scorecard.rules)
            self._what_if = (config, reader)
        return reader

    @property
    def stores(self) -> Stores:
        """Repositories of the database."""
        return self._stores

    def maintenance(self, past: float) -> tuple[MaintenanceDocument, ...]:
        """Return the maintenance windows that end after `past` seconds ago, earliest first."""
        return tuple(map(maintenance_document, self._stores.anomalies.maintenance_windows(self._clock() - past)))

    def anomalies(self) -> tuple[AnomalyDocument, ...]:
        """Return the anomaly events of the last 30 days, newest first."""
        return tuple(map(anomaly_document, self._stores.anomalies.since(self._clock() - RECENT)))

    def anomaly(self, event_id: int) -> AnomalyDetailsDocument:
        """Return one anomaly event with its context.

        Raises:
            UnknownAnomalyError: there is no such event.
        """
        return anomaly_details_document(read_anomaly_details(self._stores, event_id, self._clock()))

    def warnings(self) -> tuple[WarningDocument, ...]:
        """Return the warnings that started in the last 30 days and whose processes were recorded, newest first."""
        return tuple(map(warning_document, self._stores.process_snapshots.of_warnings(self._clock() - RECENT)))

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
        """Return the event scorecard of the last 7 days, at most an hour old."""
        return scorecard_document(*self._scorecard.read(self._clock()))

    def history(self, period: HistoryPeriod, points: int, state: DaemonState) -> HistoryDocument:
        """Return samples, predictions, anomaly scores and high-load periods, downsampled to time slots.

        Args:
            period: period of the history.
            points: largest number of time slots.
            state: state of the daemon; the recent anomaly scores are read from it, not from the database.
        """
        until = self._clock() if period.until is None else period.until
        recent_scores = state.anomaly.recent_scores if state.anomaly else AnomalyScores()
        return history_document(self._history.read(period.seconds, points, until, recent_scores))

"""Anomaly detection job: score the stored samples row by row and record anomaly events.

The job reads the stored samples instead of receiving them from the sampler. A restart, a new model and normal
operation therefore share one code path, and a slow database does not delay the sampling cycle.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from model.anomaly.resampling import row_interval
from model.anomaly.serialization import loads_detector
from model.errors import SerializationError
from monitor.config.schema import AnomalySection
from monitor.inference.quarantine import ModelQuarantine, QuarantineReason
from monitor.jobs.detector_session import DetectorSession, LoadedDetector
from monitor.jobs.event_recorder import EventRecorder
from monitor.state import AnomalyState
from monitor.stores import Stores
from monitor.system.logging import get_logger
from monitor.training.train_detector import detector_key
from storage import AnomalyRecord, ModelPart, StorageError

log = get_logger(__name__)


class UnusedReason(StrEnum):
    """Reason why the stored detector of a model is not used."""

    ROWS_TOO_SHORT = "rows_too_short"

    @property
    def message(self) -> str:
        """Explanation of the reason, for log messages."""
        return _UNUSED_MESSAGES[self]


_UNUSED_MESSAGES = {
    UnusedReason.ROWS_TOO_SHORT: "its rows are shorter than the sampling interval; the next training run replaces it",
}


class AnomalyDetectionJob:
    """Scheduled job that keeps the online detector up to date with the stored samples. Not thread-safe."""

    def __init__(
        self,
        stores: Stores,
        config: AnomalySection,
        interval: float,
        publish: Callable[[AnomalyState | None], None],
        on_start: Callable[[AnomalyRecord], None],
        clock: Callable[[], float],
    ) -> None:
        """Initialize the job; its first run loads the detector.

        Args:
            stores: repositories of the database.
            config: section `anomaly` of the configuration.
            interval: seconds between samples.
            publish: called at the end of each successful run with the state; with None if no detector is in use.
            on_start: called with each event that has started and is in progress at the end of the run.
            clock: returns the current time in seconds since the epoch.
        """
        self._stores = stores
        self._config = config
        self._interval = interval
        self._publish = publish
        self._on_start = on_start
        self._clock = clock
        self._is_loaded = False
        self._model_id: int | None = None
        self._logged_model_id: int | None = None
        self._session: DetectorSession | None = None
        self._quarantine = ModelQuarantine(stores.registry, ModelPart.DETECTOR, clock)

    def run(self) -> None:
        """Score the complete rows and publish the state.

        1. Load the serving detector if it has changed, the clock was set back, or the last run failed. A detector
           that cannot be loaded, or that fails, is quarantined; the next run loads that of the model before.
        2. Apply new verdicts and maintenance windows to the thresholds.
        3. Score the complete rows, and store the changes of anomaly events and the block maxima.
        4. Publish the state.
        5. Report an event that has started and is in progress.

        Raises:
            StorageError: the database cannot be read or written; the next run loads the detector again.
        """
        now = self._clock()
        started = None
        try:
            self._load_if_changed(now)
            if self._session is not None:
                self._session.apply_verdicts(now)
                started = self._score(self._session, now)
            self._publish(None if self._session is None else self._session.state(now))
        except (StorageError, MemoryError):
            self._forget_session()
            raise
        except Exception as error:
            if self._model_id is None:
                raise
            self._quarantine.add(self._model_id, QuarantineReason.FAILED, error)
            self._forget_session()
            self._publish(None)
        if started is not None:
            self._on_start(started)

    def _score(self, session: DetectorSession, now: float) -> AnomalyRecord | None:
        """Score the rows that end by `now` (seconds since the epoch); return a new event in progress, if any."""
        before = session.ongoing
        session.score_until(now)
        event = session.ongoing
        return None if event is None or (before is not None and event.id == before.id) else event

    def _forget_session(self) -> None:
        """Load the detector again at the next run: it and the database may differ after a failed write."""
        self._is_loaded = False
        self._session = None

    def _load_if_changed(self, now: float) -> None:
        """Load the detector of the active model if the model changed, the clock was set back or a run failed.

        If there is no usable detector, the stored event in progress is ended at `now` (seconds since the epoch).
        """
        self._quarantine.store()
        model_id = self._stores.registry.detector_model_id() if self._config.enabled else None
        if model_id in self._quarantine:
            model_id = None
        clock_set_back = self._session is not None and now < self._session.scored_until
        if self._is_loaded and model_id == self._model_id and not clock_set_back:
            return
        self._is_loaded = False
        self._session = None
        self._model_id = model_id
        loaded = None if model_id is None else self._load(model_id)
        if loaded is None:
            self._end_stored_event(now)
        else:
            session = DetectorSession(self._stores, self._config, loaded)
            session.warm_up(now)
            self._session = session
            if self._logged_model_id != model_id:
                log.info("detector loaded", model=model_id, metrics=len(loaded.detector.metrics))
            self._logged_model_id = model_id
        self._is_loaded = True

    def _load(self, model_id: int) -> LoadedDetector | None:
        """Return the detector of a model; None if the model has no usable detector."""
        blob = self._stores.registry.detector(model_id)
        if blob is None:
            return None
        try:
            detector = loads_detector(blob)
        except SerializationError as error:
            self._quarantine.add(model_id, QuarantineReason.UNREADABLE, error)
            return None
        if detector.step < row_interval(self._interval):
            reason = UnusedReason.ROWS_TOO_SHORT
            log.warning(
                "detector rejected",
                model=model_id,
                reason=reason,
                detail=reason.message,
                row_seconds=detector.step,
            )
            return None
        return LoadedDetector(detector, detector_key(blob), model_id)

    def _end_stored_event(self, now: float) -> None:
        """End the stored event in progress, because no detector observes it any longer."""
        event = self._stores.anomalies.ongoing()
        if event is not None:
            EventRecorder(self._stores, 0, event).end(now)

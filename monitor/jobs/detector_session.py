"""Detector session: feeds stored samples to the online detector and stores its events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.anomaly.backtest import RESIDUAL_WINDOW, WARM_UP
from model.anomaly.block_maxima import SLOT_SECONDS, SLOTS_KEPT
from model.anomaly.detector import Detector
from model.anomaly.events import DetectorReading, EventTransition
from model.anomaly.online_detector import HostStep, OnlineDetector, is_finite
from model.anomaly.scoring.channels import SCORE_PARTS
from model.array_types import distinct
from model.units import DAY, MINUTE
from monitor.config.schema import AnomalySection
from monitor.errors import PredictorError
from monitor.inference.stored_samples import read_rows
from monitor.jobs.event_recorder import EventRecorder, resumed_event
from monitor.queries.anomaly_scores import AnomalyScores
from monitor.state import AnomalyState
from monitor.stores import Stores
from monitor.training.exclusions import excluded_from_training, expected_slots, in_maintenance
from storage import AnomalyRecord, Verdict

MONTH = 30 * DAY

SCORES_KEPT = 7 * DAY
"""Seconds of recent anomaly scores that the live state holds for the charts."""

MEMORY = SLOTS_KEPT * SLOT_SECONDS
"""Seconds of block maxima and verdicts that the thresholds depend on."""


@dataclass(frozen=True)
class LoadedDetector:
    """Detector read from the registry.

    Attributes:
        detector: fitted detector.
        key: key of the detector's stored block maxima.
        model_id: ID of the model that the detector is stored with.
    """

    detector: Detector
    key: str
    model_id: int


class DetectorSession:
    """Online detector of one model, with its stored events and block maxima and the operator's verdicts.

    Attributes:
        scored_until: end of the warm-up or of the last row scored since, in seconds since the epoch.
        reading: output for the last row; None if no metric of that row could be scored.
    """

    def __init__(self, stores: Stores, config: AnomalySection, loaded: LoadedDetector) -> None:
        """Initialize the session; call `warm_up` before `score_until`.

        Args:
            stores: repositories of the database.
            config: section `anomaly` of the configuration.
            loaded: detector of the active model.
        """
        self.scored_until = 0.0
        self.reading: DetectorReading | None = None
        self._stores = stores
        self._config = config
        self._detector = loaded.detector
        self._key = loaded.key
        self._online = OnlineDetector([loaded.detector], config.false_alarms_per_month)
        self._recorder = EventRecorder(stores, loaded.model_id, stores.anomalies.ongoing())
        self._recent_scores = AnomalyScores()
        self._slot: int | None = None
        self._restored_slots: frozenset[int] = frozenset()
        self._verdicts: tuple[object, ...] | None = None

    @property
    def ongoing(self) -> AnomalyRecord | None:
        """Return the stored event in progress; None if there is none."""
        return self._recorder.ongoing

    def warm_up(self, now: float) -> None:
        """Prepare the detector for rows after `now` (seconds since the epoch).

        1. Restore the stored block maxima, the verdicts and the event in progress.
        2. Feed the rows of the last WARM_UP seconds. They may continue or end the event, but not start a new one.
        3. If no event is in progress and one has ended in the last RESIDUAL_WINDOW seconds, initialize the residual
           ratios from the newest reading (`EventTracker.restore_residual`).
        """
        step = self._detector.step
        until = now // step * step
        start = (until - WARM_UP) // step * step
        self._restore_block_maxima(now)
        self.apply_verdicts(now)
        ongoing = self._recorder.ongoing
        if ongoing is not None:
            self._online.resume(0, resumed_event(ongoing, start))
        self._score(start, until, may_start=False)
        if self._recorder.ongoing is None and self._stores.anomalies.since(until - RESIDUAL_WINDOW, live=True):
            self._online.restore_residual(0)
        self.scored_until = until

    def score_until(self, now: float) -> None:
        """Score the rows that end by `now` (seconds since the epoch); end an event after an hour without readings."""
        step = self._detector.step
        until = now // step * step
        # After a longer gap, for example after the clock jumped ahead, rows older than WARM_UP have no influence.
        self._score(max(self.scored_until, (until - WARM_UP) // step * step), until, may_start=True)
        (expiry,) = self._online.expire(until)
        self._apply(expiry.transitions)

    def apply_verdicts(self, now: float) -> None:
        """Apply the verdicts and maintenance windows of the last MEMORY seconds to the thresholds.

        The thresholds are recomputed only after a change, once per UTC day, and once per slot while an event with a
        verdict is in progress.

        Args:
            now: seconds since the epoch.
        """
        since = now - MEMORY
        judged = [anomaly for anomaly in self._stores.anomalies.since(since) if anomaly.verdict is not None]
        windows = self._stores.anomalies.maintenance_windows(since)
        # An event in progress reaches a new slot every half hour.
        open_slot = now // SLOT_SECONDS if any(anomaly.ended_at is None for anomaly in judged) else 0.0
        verdicts = (judged, windows, now // DAY, open_slot)
        if verdicts == self._verdicts:
            return
        minutes = np.arange(since // MINUTE, now // MINUTE + 1) * MINUTE
        is_excluded = excluded_from_training(self._stores, self._config.maintenance, minutes, now)
        excluded = minutes[is_excluded] // SLOT_SECONDS
        # In the slot after an event, the averages still contain the event.
        excluded = distinct(np.concatenate((excluded, excluded + 1))).astype(np.int64)
        expected = expected_slots(judged, SLOT_SECONDS, now)
        self._online.thresholds(0).block_maxima.apply_verdicts(expected, excluded.tolist())
        self._verdicts = verdicts

    def state(self, now: float) -> AnomalyState:
        """Return the last reading, the event in progress and the event counts at `now` (seconds since the epoch)."""
        recent = self._stores.anomalies.since(now - MONTH, live=True)
        started = [anomaly for anomaly in recent if anomaly.started_at > now - MONTH]
        windows = self._stores.anomalies.maintenance_windows(now)
        return AnomalyState(
            metrics=self._detector.metrics,
            reading=self.reading,
            active=self._recorder.ongoing,
            events=self._stores.anomalies.count(),
            unconfirmed=sum(anomaly.verdict is not Verdict.INCIDENT for anomaly in started),
            allowed=self._config.false_alarms_per_month,
            in_maintenance=in_maintenance(now, windows, self._config.maintenance),
            recent_scores=self._recent_scores,
        )

    def _score(self, start: float, until: float, *, may_start: bool) -> None:
        """Score the rows in [start, until), and store their events and block maxima.

        Args:
            start: seconds since the epoch, a multiple of the row interval.
            until: seconds since the epoch, a multiple of the row interval.
            may_start: False if the rows may continue or end an event, but not start one.
        """
        windows = self._stores.anomalies.maintenance_windows(start)
        rows = read_rows(self._stores, self._detector.columns, self._detector.step, start, until)
        for at, values in rows:
            quiet = in_maintenance(at, windows, self._config.maintenance)
            (step,) = self._online.step(at, values[None], np.array([quiet]), may_start=may_start)
            self._keep_reading(at, step)
            self._store_block_maxima(at)
            self._apply(step.transitions)
            self.scored_until = at + self._detector.step

    def _keep_reading(self, at: float, step: HostStep) -> None:
        """Set `reading`; if it is not None, append its score to the scores of the last SCORES_KEPT seconds."""
        if step.reading is not None and not is_finite(step.reading):
            raise PredictorError("a reading of the detector is not finite")
        self.reading = step.reading
        if step.reading is not None:
            recent = self._recent_scores.after(at - SCORES_KEPT)
            self._recent_scores = recent.append(at, step.reading.score, step.reading.threshold_ratio)

    def _apply(self, transitions: tuple[EventTransition, ...]) -> None:
        for transition in transitions:
            self._recorder.apply(transition)

    def _restore_block_maxima(self, now: float) -> None:
        """Load the block maxima of the last MEMORY seconds that earlier sessions with the same detector stored."""
        maxima = self._online.thresholds(0).block_maxima
        restored = set()
        for peak in self._stores.anomalies.peaks(self._key, now - MEMORY):
            if peak.channel in SCORE_PARTS:
                slot = int(peak.at // SLOT_SECONDS)
                maxima.add(slot, np.where(np.array(SCORE_PARTS) == peak.channel, peak.peak, 0.0))
                restored.add(slot)
        self._restored_slots = frozenset(restored)

    def _store_block_maxima(self, at: float) -> None:
        """Store the block maxima of the previous slot at the first row of a new slot.

        Slots whose maxima were loaded from an earlier session are not stored again.
        """
        slot = int(at // SLOT_SECONDS)
        completed = self._slot
        self._slot = slot
        if completed is None or completed == slot or completed in self._restored_slots:
            return
        values = self._online.thresholds(0).block_maxima.get(completed)
        if values is not None:
            maxima = dict(zip(SCORE_PARTS, values.tolist(), strict=True))
            self._stores.anomalies.replace_peaks(completed * SLOT_SECONDS, self._key, maxima)

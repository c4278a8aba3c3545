"""The daemon's watch for anomalies: it follows the stored samples, a minute behind at most.

It reads what the sampler has stored rather than being told of it, so that a restart, a new model and the time between
are one road, and what it takes is taken from no tick.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np

from model.anomaly.backtest import WARM_UP
from model.anomaly.detector import SCORE_PARTS, Detector
from model.anomaly.events import AnomalyEvent, next_event, residual_event
from model.anomaly.online_detector import DetectorReading, OnlineDetector
from model.anomaly.resampling import resample, row_interval
from model.anomaly.serialization import loads_detector
from model.anomaly.thresholds import SLOT_SECONDS, SLOTS_KEPT
from model.array_types import Floats
from model.errors import SerializationError
from model.units import DAY, MINUTE
from monitor.config.schema import AnomalyConfig
from monitor.inference.stored_samples import CHUNK_SECONDS, read_samples
from monitor.state import AnomalyState
from monitor.stores import Stores
from monitor.system.logging import get_logger
from monitor.training.train_detector import detector_key, excluded_times, expected_slots, in_maintenance
from storage import AnomalyRecord

log = get_logger(__name__)

MONTH = 30 * DAY

ECHO = DAY / 2
"""Seconds after an anomaly for which evidence of it may be left: means of hours forget it by then."""

TRAIL = 7 * DAY
"""Seconds of readings that are kept for whoever wants to see how it came."""


class AnomalyDetectionJob:
    """The daemon's job. For one thread."""

    def __init__(
        self,
        stores: Stores,
        config: AnomalyConfig,
        interval: float,
        publish: Callable[[AnomalyState | None], None],
        clock: Callable[[], float],
    ) -> None:
        """Nothing is watched yet.

        Args:
            stores: of the database.
            config: what is wanted.
            interval: seconds between two samples.
            publish: told of each state; None where no detector serves.
            clock: seconds since the epoch.
        """
        self._stores, self._config, self._interval = stores, config, interval
        self._publish, self._clock = publish, clock
        self._loaded = False
        self._followed: int | None = None
        self._told: int | None = None
        self._watch: OnlineDetector | None = None
        self._done = self._seen = 0.0
        self._slot: int | None = None
        self._episode: AnomalyEvent | None = None
        self._event: AnomalyRecord | None = None
        self._judged: tuple[object, ...] | None = None
        self._name = ""
        self._reading: DetectorReading | None = None
        self._trail: Floats = np.empty((0, 3))

    def __call__(self) -> None:
        """Takes in the rows that are complete by now.

        Raises:
            StorageError: the database cannot be read or written; the next turn begins anew with what is stored.
        """
        try:
            self._publish(self._turn())
        except Exception:
            # what was taken in and what was written may be at odds now
            self._loaded, self._watch = False, None
            raise

    def _turn(self) -> AnomalyState | None:
        now = self._clock()
        active = self._stores.registry.active_id() if self._config.enabled else None
        if not self._loaded or active != self._followed or now < self._done:
            self._loaded = False
            self._load(active, now)
            self._loaded = True
        if self._watch is None:
            return None
        step = self._watch.detector.step
        self._listen(self._watch, now)
        until = now // step * step
        windows = self._stores.anomalies.maintenance_windows(self._done)
        for at, values in self._rows(self._watch, self._done, until):
            quiet = in_maintenance(at, windows, self._config.maintenance)
            # what happens meanwhile is as if nobody had watched: it must not be held against the time after
            self._read(self._watch, at, np.full_like(values, np.nan) if quiet else values)
            self._done = at + step
            self._remember(at)
            if quiet:
                self._end(at)
            else:
                self._follow(at, step)
        self._end_unseen(until)
        return self._state(now, maintenance=in_maintenance(now, windows, self._config.maintenance))

    def _load(self, model_id: int | None, now: float) -> None:
        """The detector of a model, in step with the last days; None where it has none that can be used."""
        self._watch, self._reading, self._judged, self._slot = None, None, None, None
        self._trail = self._trail[:0]
        self._followed, self._done = model_id, now
        self._event, self._episode = self._stores.anomalies.ongoing(), None
        detector = None if model_id is None else self._detector(model_id)
        if detector is None:
            # what nobody watches any more does not go on for ever
            self._end(now)
            return
        watch, kept = OnlineDetector(detector, self._config.false_alarms_per_month), set()
        for peak in self._stores.anomalies.peaks(self._name, now - SLOTS_KEPT * SLOT_SECONDS):
            if peak.channel in SCORE_PARTS:
                slot = int(peak.at // SLOT_SECONDS)
                watch.peaks.add(slot, np.where(np.array(SCORE_PARTS) == peak.channel, peak.peak, 0.0))
                kept.add(slot)
        self._listen(watch, now)
        until = now // detector.step * detector.step
        start = (until - WARM_UP) // detector.step * detector.step
        self._episode = None if self._event is None else _resumed(self._event, start)
        self._watch, self._done = watch, until
        windows = self._stores.anomalies.maintenance_windows(start)
        for at, values in self._rows(watch, start, until):
            quiet = in_maintenance(at, windows, self._config.maintenance)
            self._read(watch, at, np.full_like(values, np.nan) if quiet else values)
            self._remember(at, but=kept)
            # of what began before, its end may have been missed; nothing begins in hindsight
            if self._event is not None and at >= self._event.started_at:
                self._follow(at, detector.step)
        if self._episode is None and self._stores.anomalies.since(until - ECHO):
            self._episode = residual_event(self._reading)
        if self._told != model_id:
            log.info("detector loaded", model=model_id, metrics=len(detector.metrics))
        self._told = model_id

    def _read(self, watch: OnlineDetector, at: float, values: Floats) -> None:
        """Takes in one row (metrics,)."""
        reading = self._reading = watch.step(at, values)
        if reading is not None:
            late = self._trail[self._trail[:, 0] > at - TRAIL]
            self._trail = np.append(late, [[at, reading.score, reading.threshold_ratio]], axis=0)

    def _detector(self, model_id: int) -> Detector | None:
        """That of a model, if it has one that can be read, and samples come often enough for it."""
        blob = self._stores.registry.detector(model_id)
        if blob is None:
            return None
        try:
            detector = loads_detector(blob)
        except SerializationError as error:
            log.error("detector load failed", model=model_id, error=error)
            return None
        if detector.step < row_interval(self._interval):
            reason = "the sampling interval is longer than its rows; the next training fits another"
            log.warning("detector rejected", model=model_id, reason=reason, row_seconds=detector.step)
            return None
        self._name = detector_key(blob)
        return detector

    def _rows(self, watch: OnlineDetector, start: float, until: float) -> list[tuple[float, Floats]]:
        """The complete rows of a stretch of time, without those at which nobody watched."""
        detector = watch.detector
        found = []
        # in whole rows: what belongs together is read together
        together = max(CHUNK_SECONDS // detector.step, 1) * detector.step
        for rows in read_samples(self._stores, detector.columns, start - 1e-3, until - 1e-3, together):
            if len(rows):
                times, values = resample(rows[:, 0], rows[:, 1:], detector.step)
                found += [(float(at), row) for at, row in zip(times, values, strict=True) if np.isfinite(row).any()]
        return found

    def _listen(self, watch: OnlineDetector, now: float) -> None:
        """Takes the operator's word, if it has changed."""
        since = now - SLOTS_KEPT * SLOT_SECONDS
        judged = [anomaly for anomaly in self._stores.anomalies.since(since) if anomaly.verdict is not None]
        windows = self._stores.anomalies.maintenance_windows(since)
        # of one that goes on each half hour counts by itself
        open_until = now // SLOT_SECONDS if any(anomaly.ended_at is None for anomaly in judged) else 0.0
        state = (judged, windows, now // DAY, open_until)
        if state == self._judged:
            return
        minutes = np.arange(since // MINUTE, now // MINUTE + 1) * MINUTE
        out = np.unique(
            minutes[excluded_times(self._stores, self._config.maintenance, since, now)(minutes)] // SLOT_SECONDS
        )
        # evidence outlives what it is of
        out = np.union1d(out, out + 1).astype(np.int64)
        watch.peaks.judge(expected_slots(judged, SLOT_SECONDS, now), out.tolist())
        self._judged = state

    def _remember(self, at: float, but: Collection[int] = ()) -> None:
        """Keeps the largest evidence of the half hour before, once it is over; that of slots in `but` is kept."""
        slot = int(at // SLOT_SECONDS)
        before, self._slot = self._slot, slot
        if self._watch is None or self._followed is None or before is None or before == slot or before in but:
            return
        values = self._watch.peaks.of(before)
        if values is not None:
            peaks = dict(zip(SCORE_PARTS, values.tolist(), strict=True))
            self._stores.anomalies.replace_peaks(before * SLOT_SECONDS, self._name, peaks)

    def _follow(self, at: float, step: float) -> None:
        """What the last reading means for the anomaly that goes on, or begins."""
        if self._watch is None or self._reading is None:
            return
        self._seen = at + step
        before = self._episode
        episode = self._episode = next_event(before, self._reading, self._watch.detector.metrics, step)
        if episode is None or episode is before:
            return
        if episode.ended:
            self._end(episode.until)
            self._episode = episode
        elif before is None or before.ended:
            self._begin(episode)
        elif self._event is not None and episode.ratio != before.ratio:
            seen = {"peak": episode.peak, "peak_at": episode.peak_at, "contributions": episode.shares}
            self._event = replace(self._event, **seen)  # type: ignore[arg-type]
            self._stores.anomalies.update(self._event)

    def _begin(self, episode: AnomalyEvent) -> None:
        event = AnomalyRecord(
            episode.began_at,
            None,
            episode.peak,
            episode.peak_at,
            episode.channel,
            episode.shares,
            self._followed or 0,
        )
        self._event = replace(event, id=self._stores.anomalies.add(event))
        most = ", ".join(list(episode.shares)[:3])
        log.warning("anomaly started", anomaly=self._event.id, channel=episode.channel, metrics=most)

    def _end(self, at: float) -> None:
        if self._event is not None:
            ended = replace(self._event, ended_at=max(at, self._event.started_at))
            self._stores.anomalies.update(ended)
            seconds = round((ended.ended_at or at) - ended.started_at)
            log.info("anomaly ended", anomaly=ended.id, seconds=seconds)
        self._event = self._episode = None

    def _end_unseen(self, until: float) -> None:
        """An anomaly that nobody has watched for an hour has ended when it was last seen."""
        if self._episode is not None and until - self._seen > 2 * SLOT_SECONDS:
            self._end(self._episode.until)

    def _state(self, now: float, *, maintenance: bool) -> AnomalyState | None:
        if self._watch is None:
            return None
        late = [a for a in self._stores.anomalies.since(now - MONTH) if a.started_at > now - MONTH]
        return AnomalyState(
            self._watch.detector.metrics,
            self._reading,
            self._event,
            self._stores.anomalies.count(),
            sum(anomaly.verdict != "incident" for anomaly in late),
            self._config.false_alarms_per_month,
            maintenance,
            self._trail,
        )


def _resumed(event: AnomalyRecord, at: float) -> AnomalyEvent:
    """The episode of an event that went on when the daemon ended, known again from a moment (seconds) on."""
    seen = max(event.started_at, at)
    return AnomalyEvent(event.started_at, seen, event.channel, event.peak, event.peak_at, 1.0, event.contributions)

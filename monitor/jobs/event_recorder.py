"""Event recorder: stores the anomaly events of the online detector."""

from __future__ import annotations

from dataclasses import replace

from model.anomaly.events import AnomalyEvent, EventChange, EventTransition
from monitor.stores import Stores
from monitor.system.logging import get_logger
from storage import AnomalyRecord

log = get_logger(__name__)


class EventRecorder:
    """Writer of the anomaly events of one detector to the database.

    Attributes:
        ongoing: stored event in progress; None if there is none.
    """

    def __init__(self, stores: Stores, model_id: int, ongoing: AnomalyRecord | None) -> None:
        """Initialize the recorder; it continues the event `ongoing`.

        Args:
            stores: repositories of the database.
            model_id: ID of the model whose detector reports the events.
            ongoing: stored event in progress; None if there is none.
        """
        self._stores = stores
        self._model_id = model_id
        self.ongoing = ongoing

    def apply(self, transition: EventTransition) -> None:
        """Store the start, a new peak or the end of an event."""
        if transition.change is EventChange.STARTED:
            self._start(transition.event)
        elif transition.change is EventChange.UPDATED:
            self._update(transition.event)
        else:
            self.end(transition.event.ended_at)

    def end(self, at: float) -> None:
        """End the stored event in progress, if any, at `at` (seconds since the epoch), but not before its start."""
        if self.ongoing is None:
            return
        ended_at = max(at, self.ongoing.started_at)
        self._stores.anomalies.update(replace(self.ongoing, ended_at=ended_at))
        log.info("anomaly ended", anomaly=self.ongoing.id, seconds=round(ended_at - self.ongoing.started_at))
        self.ongoing = None

    def _start(self, event: AnomalyEvent) -> None:
        record = AnomalyRecord(
            started_at=event.started_at,
            ended_at=None,
            peak=event.peak,
            peak_at=event.peak_at,
            channel=event.channel,
            contributions=event.contributions,
            model_id=self._model_id,
        )
        self.ongoing = replace(record, id=self._stores.anomalies.add(record))
        metrics = ", ".join(list(event.contributions)[:3])
        log.warning("anomaly started", anomaly=self.ongoing.id, channel=event.channel, metrics=metrics)

    def _update(self, event: AnomalyEvent) -> None:
        if self.ongoing is None:
            return
        self.ongoing = replace(
            self.ongoing, peak=event.peak, peak_at=event.peak_at, contributions=event.contributions
        )
        self._stores.anomalies.update(self.ongoing)


def resumed_event(record: AnomalyRecord, start: float) -> AnomalyEvent:
    """Return a stored event in progress as an event that the detector can continue.

    Args:
        record: the stored event. Its threshold ratio is not stored: it becomes 1, so any larger ratio is a new peak.
        start: start of the first row that the detector reads, in seconds since the epoch.
    """
    return AnomalyEvent(
        started_at=record.started_at,
        ended_at=max(record.started_at, start),
        channel=record.channel,
        peak=record.peak,
        peak_at=record.peak_at,
        threshold_ratio=1.0,
        contributions=record.contributions,
    )

"""Process recorder: snapshot of the top processes when a warning or an anomaly begins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from monitor.config.events_section import EventsSection
from monitor.sampling.processes.process_service import read_processes
from monitor.sampling.processes.top_processes import TopProcesses
from monitor.stores import Stores
from monitor.system.logging import get_logger
from storage import AnomalyRecord, Prediction, ProcessSnapshot

log = get_logger(__name__)

THREAD_NAME = "process-recorder"

MAX_PENDING = 16
"""Largest number of events that wait for a snapshot; further ones get none."""


@dataclass(frozen=True)
class _Event:
    """Start of a warning or an anomaly; the attributes are those of `ProcessSnapshot`."""

    started_at: float
    anomaly_id: int | None = None
    horizon: float | None = None
    probability: float | None = None


class ProcessRecorder:
    """Recorder of the processes at the start of warnings and anomalies; thread-safe.

    A thread exists only while a snapshot is taken, so that neither the sampling cycle nor a job waits for it. Events
    that begin meanwhile share the next snapshot.
    """

    def __init__(
        self,
        stores: Stores,
        config: EventsSection,
        clock: Callable[[], float],
        read: Callable[..., TopProcesses] = read_processes,
    ) -> None:
        """Initialize the recorder.

        Args:
            stores: repositories of the database.
            config: section `events` of the configuration.
            clock: returns the current time in seconds since the epoch.
            read: reads the processes.
        """
        self._stores = stores
        self._config = config
        self._clock = clock
        self._read = read
        self._lock = threading.Lock()
        self._pending: list[_Event] = []
        self._thread: threading.Thread | None = None

    def anomaly_started(self, event: AnomalyRecord) -> None:
        """Record the processes for an anomaly event that has just been stored."""
        self._record([_Event(event.started_at, anomaly_id=event.id)])

    def warnings_started(self, predictions: Sequence[Prediction]) -> None:
        """Record the processes for predictions with which a warning has started."""
        self._record([_Event(p.at, horizon=p.horizon, probability=p.probability) for p in predictions])

    def _record(self, events: Sequence[_Event]) -> None:
        if not self._config.processes:
            return
        with self._lock:
            self._pending += events[: MAX_PENDING - len(self._pending)]
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
            try:
                self._thread.start()
            except RuntimeError as error:
                self._thread = None
                self._pending = []
                log.warning("process snapshot failed", error=error)

    def _run(self) -> None:
        """Take and store snapshots until no event is pending."""
        while events := self._take_pending():
            try:
                self._stores.process_snapshots.add(self._snapshots(events))
            except Exception as error:
                # The snapshot is lost, and the daemon continues.
                log.warning("process snapshot failed", error=error)

    def _take_pending(self) -> list[_Event]:
        """Return and clear the pending events; if there are none, the thread ends."""
        with self._lock:
            events = self._pending
            self._pending = []
            if not events:
                self._thread = None
            return events

    def _snapshots(self, events: Sequence[_Event]) -> list[ProcessSnapshot]:
        top = self._read(command_lines=self._config.command_lines)
        at = self._clock()
        return [
            ProcessSnapshot(
                at=at,
                started_at=event.started_at,
                anomaly_id=event.anomaly_id,
                horizon=event.horizon,
                probability=event.probability,
                seconds=top.seconds,
                visited=top.visited,
                io_hidden=top.io_hidden,
                complete=top.complete,
                processes=top.processes,
            )
            for event in events
        ]

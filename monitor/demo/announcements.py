"""Terminal output of the demonstration: warnings, high load and anomalies as they occur."""

from __future__ import annotations

from collections.abc import Callable

from monitor.reports.anomalies import contribution_text
from monitor.state import DaemonState, LiveState
from monitor.system.formatting import approximate_duration, format_duration, format_percent, format_time


class Announcer:
    """Observer of the daemon that prints one line per event; for use by one thread."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """Initialize the observer.

        Args:
            write: prints a line.
        """
        self._write = write
        self._warned: dict[float, float] = {}
        self._high_load_since: float | None = None
        self._anomaly: int | None = None

    def observe(self, live: LiveState) -> None:
        """Print the warnings and the high-load period that have started with the newest sample."""
        at = live.sample.at
        if live.high_load_since is not None and self._high_load_since is None:
            first = min(self._warned.values(), default=None)
            lead = "without a warning" if first is None else f"{approximate_duration(at - first)} after the warning"
            self.announce(at, f"high load begins, {lead}")
        self._high_load_since = live.high_load_since
        active = {} if live.forecast is None else {p.horizon: p for p in live.forecast.predictions if p.warning}
        self._warned = {horizon: started for horizon, started in self._warned.items() if horizon in active}
        for horizon, prediction in active.items():
            if horizon not in self._warned:
                self._warned[horizon] = at
                probability = format_percent(prediction.probability)
                text = f"warning: high load within {format_duration(horizon)}, probability {probability}"
                self.announce(at, text)

    def observe_jobs(self, state: DaemonState) -> None:
        """Print the anomaly event that the detector has found."""
        event = None if state.anomaly is None else state.anomaly.active
        if event is not None and event.id != self._anomaly:
            self._anomaly = event.id
            self.announce(event.started_at, f"anomaly: {contribution_text(event.contributions)}")

    def announce(self, at: float, text: str) -> None:
        """Print a line with the time of the trace, in seconds since the epoch."""
        self._write(f"{format_time(at)}  {text}")

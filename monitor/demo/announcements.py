"""Terminal output of the demonstration: warnings, high load and anomalies as they occur."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monitor.reports.anomalies import contribution_text
from monitor.state import DaemonState, LiveState
from monitor.system.formatting import approximate_duration, format_duration, format_percent, format_time
from storage import ChannelHealth


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
        self._failing: set[str] = set()

    def observe(self, live: LiveState) -> None:
        """Print the warnings and the high-load period that have started or ended with the newest sample."""
        at = live.sample.at
        if live.high_load_since is not None and self._high_load_since is None:
            first = min(self._warned.values(), default=None)
            lead = "without a warning" if first is None else f"{approximate_duration(at - first)} after the warning"
            self.announce(at, f"high load begins, {lead}")
        if live.high_load_since is None and self._high_load_since is not None:
            self.announce(at, "high load ended")
        self._high_load_since = live.high_load_since
        active = {} if live.forecast is None else {p.horizon: p for p in live.forecast.predictions if p.warning}
        for horizon in [horizon for horizon in self._warned if horizon not in active]:
            del self._warned[horizon]
            if live.high_load_since is None:
                self.announce(at, f"warning ended: high load within {format_duration(horizon)}")
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
            self.announce(event.started_at, f"anomaly: {contribution_text(event.contributions)} (share of the score)")

    def observe_deliveries(self, at: float, health: Sequence[ChannelHealth]) -> None:
        """Print the first failed delivery of each series of failures.

        Args:
            at: time of the trace in seconds since the epoch.
            health: last delivery and last failure of each channel; the reason of a failure is redacted.
        """
        for channel in health:
            if channel.failures and channel.channel not in self._failing:
                self.announce(at, f"notification not delivered: {channel.last_error}")
        self._failing = {channel.channel for channel in health if channel.failures}

    def announce(self, at: float, text: str) -> None:
        """Print a line with the time of the trace, in seconds since the epoch."""
        self._write(f"{format_time(at)}  {text}")

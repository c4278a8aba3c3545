"""Members of a fleet: followed hosts with their forecasts, warnings and outcomes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from monitor.fleet.interfaces import FleetForecaster, FleetSample, HostHistory
from monitor.fleet.process.host_table import HostTable, empty_table, updated, without
from monitor.fleet.process.outcomes import OutcomeScorer
from monitor.fleet.process.warning_tracker import WarningTracker
from monitor.system.formatting import format_duration
from monitor.system.logging import get_logger
from storage.fleet.records import FleetChange, FleetHost, FleetWarning, HostPrediction

log = get_logger(__name__)


class Members:
    """Followed hosts. For use by one thread, except for `table` and `active_warnings`.

    Attributes:
        table: newest values and predictions, replaced at each change.
    """

    def __init__(
        self,
        create_forecaster: Callable[[], FleetForecaster],
        columns: Sequence[str],
        step: float,
        tracker: WarningTracker,
        record: Callable[[FleetChange], None],
    ) -> None:
        """Initialize without hosts.

        Args:
            create_forecaster: returns a forecaster without hosts.
            columns: names of the sample fields.
            step: seconds between samples.
            tracker: warnings, with those of the previous process.
            record: receives the changes that are to be stored.
        """
        self.table: HostTable = empty_table(columns)
        self._create_forecaster = create_forecaster
        self._forecaster = create_forecaster()
        self._step = step
        self._tracker = tracker
        self._record = record
        self._scorer: OutcomeScorer | None = None
        self._followed: set[str] = set()
        self._lock = threading.Lock()
        self._record_requested = threading.Event()

    @property
    def followed(self) -> frozenset[str]:
        """Hosts that have been added."""
        return frozenset(self._followed)

    @property
    def active_warnings(self) -> tuple[FleetWarning, ...]:
        """Active warnings."""
        with self._lock:
            return tuple(self._tracker.active.values())

    def follow(self, histories: Sequence[HostHistory]) -> None:
        """Follow hosts with the newest part of their histories; see `FleetForecaster.add`."""
        self._forecaster.add(histories)
        self._followed |= {history.host for history in histories}

    def restart(self) -> None:
        """Follow no host, and start with another forecaster; the newest predictions and the warnings stay."""
        self._forecaster = self._create_forecaster()
        self._followed.clear()

    def advance(self, sample: FleetSample, *, live: bool = True) -> None:
        """Append the samples of followed hosts, and publish their predictions.

        Args:
            sample: samples; those of other hosts are left out.
            live: False for a step in the past, whose predictions change neither warnings nor scores.
        """
        sample = selected(sample, self._followed)
        if not sample.hosts:
            return
        forecast = self._forecaster.advance(sample)
        if self._scorer is None or self._scorer.horizons != forecast.horizons:
            self._scorer = OutcomeScorer(forecast.horizons, self._step)
        self._scorer.advance(forecast, live=live)
        new = tuple(host for host in sample.hosts if host not in self.table.rows)
        self.table = updated(self.table, sample, forecast, self._step, filled=not live)
        if live:
            with self._lock:
                warnings = self._tracker.update(forecast)
            _log_warnings(warnings)
            seen = tuple(FleetHost(host, sample.time, sample.time) for host in new)
            if seen or warnings:
                self._record(FleetChange(hosts=seen, warnings=tuple(warnings)))
            if self._record_requested.is_set():
                self._record_requested.clear()
                self.record_predictions()

    def expire(self, before: float) -> tuple[str, ...]:
        """Stop to follow the hosts last seen before a time (seconds since the epoch), and return them."""
        table = self.table
        old = tuple(table.hosts[row] for row in (table.last_seen < before).nonzero()[0])
        if old:
            self._forecaster.remove([host for host in old if host in self._followed])
            self._followed -= set(old)
            if self._scorer is not None:
                self._record(FleetChange(scores=self._scorer.take()))
                self._scorer.remove(old)
            with self._lock:
                ended = self._tracker.remove(old, table.time)
            self.table = without(table, old)
            self._record(FleetChange(warnings=tuple(ended)))
        return old

    def request_record(self) -> None:
        """Let the next live step call `record_predictions`. Safe to call from any thread."""
        self._record_requested.set()

    def record_predictions(self) -> None:
        """Hand the newest predictions and the totals since the last call to the storage."""
        scores = () if self._scorer is None else self._scorer.take()
        table = self.table
        seen = tuple(
            FleetHost(host, float(first), float(last))
            for host, first, last in zip(table.hosts, table.first_seen, table.last_seen, strict=True)
        )
        self._record(FleetChange(hosts=seen, scores=scores, predictions=tuple(_predictions(table, self._step))))


def selected(sample: FleetSample, hosts: set[str] | frozenset[str]) -> FleetSample:
    """Return the samples of some hosts."""
    rows = [row for row, host in enumerate(sample.hosts) if host in hosts]
    if len(rows) == len(sample.hosts):
        return sample
    return FleetSample(sample.time, tuple(sample.hosts[row] for row in rows), sample.values[rows])


def _predictions(table: HostTable, step: float) -> list[HostPrediction]:
    """Return the current predictions as records."""
    records = []
    for row in table.predicted(step).nonzero()[0]:
        for number, horizon in enumerate(table.horizons):
            base_rate = float(table.base_rates[row, number])
            records.append(
                HostPrediction(
                    host=table.hosts[row],
                    horizon=horizon,
                    at=float(table.last_seen[row]),
                    probability=float(table.probabilities[row, number]),
                    base_rate=base_rate if base_rate == base_rate else None,  # noqa: PLR0124 - NaN
                    threshold=float(table.thresholds[row, number]),
                    warning=bool(table.warnings[row, number]),
                    high=bool(table.high[row]),
                    model=str(table.models[row]),
                )
            )
    return records


MAX_LOGGED_WARNINGS = 10
"""Largest number of warnings of one step that have a log line of their own."""


def _log_warnings(warnings: Sequence[FleetWarning]) -> None:
    """Log the start and the end of each warning; a number instead if there are many."""
    for warning in warnings[:MAX_LOGGED_WARNINGS]:
        horizon = format_duration(warning.horizon)
        probability = round(warning.peak, 3)
        if warning.ended_at is None:
            log.warning("host warning started", host=warning.host, horizon=horizon, probability=probability)
        else:
            log.info("host warning ended", host=warning.host, horizon=horizon, probability=probability)
    if len(warnings) > MAX_LOGGED_WARNINGS:
        log.info("more host warnings changed", warnings=len(warnings) - MAX_LOGGED_WARNINGS)

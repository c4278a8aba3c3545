"""Online detector: row-by-row scores and anomaly events, for the daemon and the backtest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.anomaly.detector import Detector
from model.anomaly.events import AnomalyEvent, DetectorReading, EventTracker, EventTransition
from model.anomaly.expectation import RowForecaster
from model.anomaly.flatline import FlatlineDetector
from model.anomaly.scoring.channels import AnomalyScorer
from model.anomaly.thresholds import AlarmThresholds
from model.array_types import Bools, Floats

FLATLINE = "flatline"
"""Name of the channel for metrics that stopped changing; the channel has no score part."""


@dataclass(frozen=True)
class HostStep:
    """Reading and event changes of one host after one row.

    Attributes:
        reading: output of the detector; None if no metric can be scored, such as after a gap or in maintenance.
        transitions: changes of anomaly events, in order.
    """

    reading: DetectorReading | None
    transitions: tuple[EventTransition, ...] = ()


class OnlineDetector:
    """Streaming anomaly detector of several hosts.

    All hosts share the columns and the row interval; each has its own fitted detector and state. To warm up, feed the
    rows of the last `model.anomaly.backtest.WARM_UP` seconds with `may_start` False before the first live row.
    """

    def __init__(self, detectors: Sequence[Detector], false_alarms_per_month: float) -> None:
        """Initialize without observations.

        Args:
            detectors: (hosts,) fitted detectors.
            false_alarms_per_month: false-alarm budget of each host.
        """
        self._hosts = [HostDetector(detector, false_alarms_per_month) for detector in detectors]
        self._trackers = [EventTracker(detector.metrics, detector.step) for detector in detectors]
        self._readings: list[DetectorReading | None] = [None] * len(detectors)

    def step(
        self, at: float, values: Floats, maintenance: Bools | None = None, *, may_start: bool = True
    ) -> tuple[HostStep, ...]:
        """Add one row of each host.

        Args:
            at: start of the row in seconds since the epoch.
            values: (hosts, columns), NaN where missing; a host without any value is skipped.
            maintenance: (hosts,) True within a maintenance window: the row counts as missing and an event in progress
                ends. None if no host is in maintenance.
            may_start: False if no event may start.

        Returns:
            (hosts,) results.

        Raises:
            ValueError: the row is not later than the previous row.
        """
        in_maintenance = np.zeros(len(self._hosts), bool) if maintenance is None else maintenance
        return tuple(
            self._step_host(host, at, values[host], in_maintenance=bool(in_maintenance[host]), may_start=may_start)
            for host in range(len(self._hosts))
        )

    def replay(
        self, times: Floats, rows: Floats, maintenance: Bools | None = None, *, may_start: bool = True
    ) -> list[tuple[HostStep, ...]]:
        """Add rows in order of time; equivalent to one call of `step` per row.

        Args:
            times: (rows,) starts of the rows in seconds since the epoch, increasing.
            rows: (rows, hosts, columns), NaN where missing.
            maintenance: (rows, hosts) True within a maintenance window; None if no row is in maintenance.
            may_start: False if no event may start.

        Returns:
            One tuple of (hosts,) results per row.
        """
        if maintenance is None:
            maintenance = np.zeros(rows.shape[:2], bool)
        return [self.step(float(at), rows[i], maintenance[i], may_start=may_start) for i, at in enumerate(times)]

    def expire(self, at: float) -> tuple[HostStep, ...]:
        """End the event of each host without a reading in the hour before `at` (seconds since the epoch).

        Returns:
            (hosts,) results with the last readings.
        """
        return tuple(
            HostStep(reading, tuple(tracker.expire(at)))
            for reading, tracker in zip(self._readings, self._trackers, strict=True)
        )

    def resume(self, host: int, event: AnomalyEvent) -> None:
        """Continue an event that was in progress before this detector was created.

        Args:
            host: index of the host.
            event: event of the host, not ended.
        """
        self._trackers[host].resume(event)

    def restore_residual(self, host: int) -> None:
        """Initialize the residual ratios of a host from its newest reading; see `EventTracker.restore_residual`."""
        self._trackers[host].restore_residual(self._readings[host])

    def event(self, host: int) -> AnomalyEvent | None:
        """Return the event in progress of a host; None if there is none."""
        return self._trackers[host].event

    def thresholds(self, host: int) -> AlarmThresholds:
        """Return the alarm thresholds and block maxima of a host."""
        return self._hosts[host].thresholds

    def _step_host(self, host: int, at: float, values: Floats, *, in_maintenance: bool, may_start: bool) -> HostStep:
        tracker = self._trackers[host]
        transitions = tracker.expire(at)
        if not np.isfinite(values).any():
            return HostStep(None, tuple(transitions))
        if in_maintenance:
            # Scored as missing, so that maintenance does not affect the scores after it.
            values = np.full_like(values, np.nan)
            transitions += tracker.interrupt(at)
        reading = self._hosts[host].step(at, values)
        self._readings[host] = reading
        if reading is not None:
            transitions += tracker.update(reading, may_start=may_start)
        return HostStep(reading, tuple(transitions))


class HostDetector:
    """Streaming detector of one host: recent rows, running averages and alarm thresholds."""

    def __init__(self, detector: Detector, false_alarms_per_month: float) -> None:
        """Initialize without observations; arguments as for one host of `OnlineDetector`."""
        metrics = len(detector.standardization.mean)
        self._detector = detector
        self.thresholds = AlarmThresholds(detector, false_alarms_per_month)
        self._forecaster = RowForecaster(detector)
        self._scorer = AnomalyScorer(metrics, detector.step, seasonal=detector.profile is not None)
        self._flatline = FlatlineDetector(detector.flatline, detector.step, false_alarms_per_month)

    def step(self, at: float, values: Floats) -> DetectorReading | None:
        """Add a row and return its reading.

        Args:
            at: start of the row in seconds since the epoch.
            values: (columns,), NaN where missing.

        Returns:
            The reading; None if no present metric has completed its warm-up of WARM_UP_ROWS rows.

        Raises:
            ValueError: the row is not later than the previous row.
        """
        detector = self._detector
        row = self._forecaster.step(at, values)
        flatline_ratio, flatline_ratios = self._flatline.update(row.x)
        if not row.present.any():
            return None
        residuals = np.concatenate((row.z,) * (len(row.expected) // len(row.z))) - row.expected
        lags = detector.mahalanobis.lags
        distance = detector.mahalanobis(self._forecaster.recent[-lags:].reshape(1, -1))
        parts = self._scorer.update(residuals[None], row.present[None], distance, detector.calibration)
        part_values = parts.for_thresholds[0]
        ratios = self.thresholds.update(at, part_values)
        ratios[FLATLINE] = flatline_ratio
        strongest = max(ratios, key=lambda name: ratios[name])
        contributions = flatline_ratios if strongest == FLATLINE else parts.by_metric[0]
        return DetectorReading(
            at=at,
            score=self.thresholds.score(part_values),
            threshold_ratios=ratios,
            short_term_ratio=max(float(parts.short_term[0]), flatline_ratio),
            contributions=_normalized(contributions),
        )


def is_finite(reading: DetectorReading) -> bool:
    """Return True if all numbers of a reading are finite, except for a score that is not fitted (NaN)."""
    numbers = [*reading.threshold_ratios.values(), reading.short_term_ratio, *reading.contributions.tolist()]
    return bool(np.isfinite(numbers).all()) and not np.isinf(reading.score)


def _normalized(contributions: Floats) -> Floats:
    """Return the contributions (metrics,) scaled to sum to 1; equal contributions if all are 0."""
    total = float(contributions.sum())
    if total > 0:
        return np.asarray(contributions / total)
    return np.full(len(contributions), 1.0 / len(contributions))

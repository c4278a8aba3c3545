"""Details of one anomaly event: expected values, similar earlier events, processes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from model.anomaly.detector import Detector
from model.anomaly.expectation import PAST_ROWS, ExpectedValues, expected_values
from model.anomaly.online_detector import FLATLINE
from model.anomaly.serialization import loads_detector
from model.array_types import Bools, Floats
from model.errors import SerializationError
from model.units import DAY, HOUR
from monitor.inference.stored_samples import read_rows
from monitor.queries.event_context import AnomalyDetails, Expectation, MetricValue, MissingExpectation
from monitor.queries.similar_events import similar_events
from monitor.sampling.metric_catalog import METRIC_BY_FIELD
from monitor.stores import Stores
from storage import AnomalyRecord, UnknownModelError

MARGIN = 2 * HOUR
"""Seconds before and after an event that are shown with it."""

MAX_SPAN = DAY
"""Longest part of an event that is shown, in seconds from its start."""

DEVIATION_MARGIN = HOUR / 2
"""Seconds before the start of an event in which its largest deviations are searched: averages raise an alarm late."""


def read_anomaly_details(stores: Stores, event_id: int, now: float) -> AnomalyDetails:
    """Read an event, and compute its expected values from the stored samples.

    Args:
        stores: repositories.
        event_id: ID of the event.
        now: seconds since the epoch.

    Raises:
        UnknownAnomalyError: there is no such event.
        StorageError: the database cannot be read.
    """
    event = stores.anomalies.get(event_id)
    expectation = _read_expectation(stores, event, now)
    missing = MissingExpectation.NO_DETECTOR if expectation is None else None
    if expectation is not None and not _event_rows(event, expectation).any():
        missing = MissingExpectation.NO_SAMPLES
        expectation = None
    return AnomalyDetails(
        event=event,
        values=tuple(_metric_value(event, expectation, metric) for metric in event.contributions),
        expectation=expectation,
        missing=missing,
        similar=similar_events(event, stores.anomalies.since(-math.inf)),
        processes=stores.process_snapshots.of_anomaly(event_id),
    )


def _read_expectation(stores: Stores, event: AnomalyRecord, now: float) -> Expectation | None:
    """Return the rows around an event with the forecasts of its detector, else of the active one; None if none."""
    for model_id, detector in _detectors(stores, event):
        step = detector.step
        end = min(now if event.ended_at is None else event.ended_at, event.started_at + MAX_SPAN) + MARGIN
        start = (event.started_at - MARGIN) // step * step
        rows = read_rows(stores, detector.columns, step, start - PAST_ROWS * step, min(end, now) // step * step)
        values = expected_values(detector, rows)
        return Expectation(
            model_id=model_id,
            detected=model_id == event.model_id and not event.replayed,
            step=step,
            metrics=detector.metrics,
            values=_shown(values, detector.metrics, start),
        )
    return None


def _detectors(stores: Stores, event: AnomalyRecord) -> Iterator[tuple[int, Detector]]:
    """Yield the usable detectors with their model IDs: that of the event, then the active one."""
    active = stores.registry.detector_model_id()
    for model_id in (event.model_id, active):
        if model_id is None:
            continue
        try:
            blob = stores.registry.detector(model_id)
            if blob is not None:
                yield model_id, loads_detector(blob)
        except (UnknownModelError, SerializationError):
            continue


def _shown(values: ExpectedValues, metrics: tuple[str, ...], start: float) -> ExpectedValues:
    """Return the rows from `start` (seconds since the epoch) on, clipped to the bounds of the metrics."""
    rows = values.times >= start
    bounds = [METRIC_BY_FIELD.get(name) for name in metrics]
    lower = np.array([-math.inf if metric is None else metric.lower_bound for metric in bounds])
    upper = np.array([math.inf if metric is None else metric.upper_bound for metric in bounds])

    def clipped(table: Floats) -> Floats:
        return np.clip(table[rows], lower, upper)

    return ExpectedValues(
        times=values.times[rows],
        actual=values.actual[rows],
        expected=clipped(values.expected),
        lower=clipped(values.lower),
        upper=clipped(values.upper),
        usual=clipped(values.usual),
        deviations=values.deviations[rows],
    )


def _event_rows(event: AnomalyRecord, expectation: Expectation) -> Bools:
    """Return a mask (rows,) of the rows in which the largest deviations of an event are searched.

    These are the rows from DEVIATION_MARGIN before the start until the peak; for a flatline only the row of the peak,
    because its values do not deviate from the forecast.
    """
    times = expectation.values.times
    first = event.peak_at if event.channel == FLATLINE else event.started_at - DEVIATION_MARGIN
    return np.asarray((times > first - expectation.step) & (times <= event.peak_at))


def _metric_value(event: AnomalyRecord, expectation: Expectation | None, metric: str) -> MetricValue:
    contribution = event.contributions[metric]
    if expectation is None or metric not in expectation.metrics:
        return MetricValue(metric, contribution)
    values = expectation.values
    column = expectation.metrics.index(metric)
    rows = np.flatnonzero(_event_rows(event, expectation) & ~np.isnan(values.deviations[:, column]))
    if not len(rows):
        return MetricValue(metric, contribution)
    row = rows[np.argmax(values.deviations[rows, column])]
    usual = float(values.usual[row, column])
    return MetricValue(
        metric=metric,
        contribution=contribution,
        at=float(values.times[row]),
        actual=float(values.actual[row, column]),
        expected=float(values.expected[row, column]),
        lower=float(values.lower[row, column]),
        upper=float(values.upper[row, column]),
        usual=None if math.isnan(usual) else usual,
    )

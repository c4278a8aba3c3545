"""Operator input to anomaly detection: verdicts and maintenance windows as masks and slots."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.array_types import Bools, Floats
from model.units import MINUTE
from monitor.config.maintenance_windows import RecurringWindow
from monitor.stores import Stores
from storage import AnomalyRecord, MaintenanceWindow, Verdict


def in_maintenance(at: float, windows: Sequence[MaintenanceWindow], recurring: Sequence[RecurringWindow]) -> bool:
    """Return True if `at` (seconds since the epoch) lies within a stored or a recurring maintenance window."""
    in_stored_window = any(window.starts_at <= at < window.ends_at for window in windows)
    return in_stored_window or any(window.contains(at) for window in recurring)


def excluded_from_training(stores: Stores, recurring: Sequence[RecurringWindow], times: Floats, now: float) -> Bools:
    """Return a mask of the times within a maintenance window or an event with the verdict `incident`.

    Args:
        stores: repositories of the database.
        recurring: recurring windows of the configuration.
        times: (rows,) seconds since the epoch, increasing.
        now: seconds since the epoch; used as the end of an incident in progress.

    Returns:
        (rows,) True for a time to leave out of training.

    Raises:
        StorageError: the database cannot be read.
    """
    excluded = np.zeros(len(times), bool)
    if not len(times):
        return excluded
    since = float(times[0])
    incidents = [anomaly for anomaly in stores.anomalies.since(since) if anomaly.verdict is Verdict.INCIDENT]
    spans = [(anomaly.started_at, now if anomaly.ended_at is None else anomaly.ended_at) for anomaly in incidents]
    spans += [(window.starts_at, window.ends_at) for window in stores.anomalies.maintenance_windows(since)]
    for start, end in spans:
        excluded |= (times >= start) & (times < end)
    return excluded | _in_recurring_window(times, recurring)


def _in_recurring_window(times: Floats, recurring: Sequence[RecurringWindow]) -> Bools:
    """Return a mask of the times (rows,) within a recurring window."""
    if not recurring:
        return np.zeros(len(times), bool)
    # Windows start and end at whole minutes, so each minute is looked up once.
    minutes, minute_of = np.unique(times // MINUTE, return_inverse=True)
    is_inside = [any(window.contains(minute * MINUTE) for window in recurring) for minute in minutes.tolist()]
    return np.array(is_inside, bool)[minute_of]


def expected_slots(anomalies: Sequence[AnomalyRecord], slot_seconds: float, now: float) -> list[int]:
    """Return the numbers of the slots that overlap an event with the verdict `expected`.

    Args:
        anomalies: stored events; those with another verdict are ignored.
        slot_seconds: length of a slot in seconds; slots are numbered from the epoch.
        now: seconds since the epoch; used as the end of an event in progress.
    """
    expected = [anomaly for anomaly in anomalies if anomaly.verdict is Verdict.EXPECTED]
    slots: list[int] = []
    for anomaly in expected:
        end = now if anomaly.ended_at is None else anomaly.ended_at
        slots += range(int(anomaly.started_at // slot_seconds), int(end // slot_seconds) + 1)
    return slots

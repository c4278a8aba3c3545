"""How it came: the last hours of the host and of what was said of it, in as many points as a picture has room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from model.array_types import Floats
from model.features.labels import GAP_FACTOR, Rules
from model.features.rolling_window import RollingWindow
from model.units import DAY
from monitor.inference.stored_samples import read_samples
from monitor.stores import Stores
from monitor.system.formatting import format_duration
from storage import SAMPLE_FIELDS

LONGEST = 30 * DAY
"""Seconds that can be asked for."""

MOST_POINTS = 2000

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
"""Lengths of a slot (seconds): round ones, so that a picture made a moment later has the same slots."""


class Curves:
    """Reads them from the database. Safe to use from several threads."""

    def __init__(self, stores: Stores, rules: Callable[[], Rules], interval: float) -> None:
        """Nothing is read yet.

        Args:
            stores: of the database.
            rules: what high load is, by the model that serves.
            interval: seconds between two samples.
        """
        self._stores, self._rules, self._interval = stores, rules, interval

    def document(self, seconds: float, points: int, until: float, trail: Floats) -> dict[str, Any]:
        """The curves as plain JSON data; what was not measured or not said is null.

        Args:
            seconds: how far back, at most LONGEST.
            points: how many slots at most, up to MOST_POINTS.
            until: seconds since the epoch; the slot that it falls into is the last.
            trail: (rows, 3) readings of the watch for anomalies: time, score, how near to an alarm.

        Raises:
            StorageError: the database cannot be read.
        """
        width = slot_width(seconds / points, self._interval)
        count = max(1, round(seconds / width))
        start = (until // width + 1 - count) * width
        anomalies = self._stores.anomalies.since(start)
        nearness = _slots(trail[:, 0], trail[:, 1:], start, width, count)
        return {
            "from": start,
            "until": start + width * count,
            "step": width,
            "at": [start + width * number for number in range(count)],
            "load": dict(
                zip(SAMPLE_FIELDS, _columns(self._stores.samples.bucket_means(start, width, count)), strict=True)
            ),
            "high": self._high(start, start + width * count),
            "rules": [dict(rule) for rule in self._rules().rules],
            "predictions": self._predictions(start, width, count),
            "anomaly_score": _columns(nearness)[0],
            "anomaly_evidence_ratio": _columns(nearness)[1],
            "anomalies": [asdict(anomaly) for anomaly in anomalies],
        }

    def _predictions(self, start: float, width: float, count: int) -> list[dict[str, Any]]:
        found = []
        for horizon, table in self._stores.predictions.bucket_maxima(start, width, count).items():
            probability, baseline, threshold, margin = _columns(table)
            warned = [
                None if over is None or needs is None else over >= 0 and needs < 1
                for over, needs in zip(margin, threshold, strict=True)
            ]
            found.append(
                {
                    "horizon": horizon,
                    "horizon_name": format_duration(horizon),
                    "probability": probability,
                    "baseline_probability": baseline,
                    "threshold": threshold,
                    "warning": warned,
                }
            )
        return found

    def _high(self, start: float, end: float) -> list[list[float]]:
        """When load was high, as [from, until] in seconds; nothing while the rules have bounds yet to be learned."""
        rules = self._rules()
        if not rules.resolved:
            return []
        before = rules.sustained + 2 * self._interval
        history = RollingWindow(rules.metrics, rules, self._interval, keep_seconds=before)
        found = []
        for rows in read_samples(self._stores, rules.metrics, start - before, end):
            history.extend(rows[:, 0], rows[:, 1:])
            late = slice(len(history) - len(rows), None)
            found.append(history.times[late][history.state[late] == 1])
        at = np.concatenate(found)
        return stretches(at[at >= start], GAP_FACTOR * self._interval)


def slot_width(wanted: float, least: float) -> float:
    """The shortest round length of at least both (seconds)."""
    need = max(wanted, least)
    return float(next((step for step in STEPS if step >= need - 1e-9), STEPS[-1]))


def stretches(at: Floats, apart: float) -> list[list[float]]:
    """Moments (seconds, increasing) as stretches [first, last]; those further apart than `apart` are not one."""
    if not len(at):
        return []
    breaks = np.flatnonzero(np.diff(at) > apart)
    firsts, lasts = np.append(0, breaks + 1), np.append(breaks, len(at) - 1)
    return [[float(at[i]), float(at[j])] for i, j in zip(firsts, lasts, strict=True)]


def _slots(at: Floats, values: Floats, start: float, width: float, count: int) -> Floats:
    """(count, columns) the largest of what falls into each slot; NaN where nothing does."""
    found = np.full((count, values.shape[1]), -np.inf)
    slot = ((at - start) // width).astype(np.int64)
    inside = (slot >= 0) & (slot < count)
    np.maximum.at(found, slot[inside], np.nan_to_num(values[inside], nan=-np.inf))
    found[np.isinf(found)] = np.nan
    return found


def _columns(table: Floats) -> list[list[float | None]]:
    """Each column as JSON has it; four digits are more than a picture shows."""
    return [_figures(column) for column in np.asarray(table).T]


def _figures(column: Sequence[float] | Floats) -> list[float | None]:
    values = np.asarray(column)
    return [None if missing else round(v, 4) for v, missing in zip(values.tolist(), np.isnan(values), strict=True)]

"""Outcomes: predictions of all hosts compared with the high load that followed, as hourly totals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from model.units import HOUR
from monitor.fleet.interfaces import FleetForecast
from storage.fleet.records import SCORE_SUMS, FleetScore

MIN_KNOWN = 0.8
"""Smallest fraction of the steps within a horizon that have a sample, for the outcome `no high load`."""


class OutcomeScorer:
    """Scorer of the live predictions, in steps; keeps the predictions of the longest horizon. For use by one thread.

    An outcome is positive if load was high at any step within the horizon. It is unknown if load was not high and
    too many steps have no sample.
    """

    def __init__(self, horizons: Sequence[float], step: float) -> None:
        """Initialize without hosts.

        Args:
            horizons: seconds.
            step: seconds between samples.
        """
        self.horizons = tuple(horizons)
        self._step = step
        self._lengths = [max(1, round(horizon / step)) for horizon in horizons]
        self._slots = max(self._lengths) + 1
        self._newest: int | None = None
        self._hosts: tuple[str, ...] = ()
        self._rows: dict[str, int] = {}
        shape = (self._slots, 0, len(self.horizons))
        self._probabilities = np.empty(shape, np.float32)
        self._warnings = np.empty(shape, bool)
        self._high = np.empty(shape[:2], bool)
        self._known = np.empty(shape[:2], np.int32)
        self._base_rates = np.empty(shape[1:])
        self._high_at = np.empty(0, np.int64)
        self._totals: dict[float, Any] = {}

    def advance(self, forecast: FleetForecast, *, live: bool) -> None:
        """Append one step, and score the predictions whose horizon ends with it.

        Args:
            forecast: predictions at the step; those of hosts that are new may follow as a second part of a step.
            live: False for predictions made long after the step, which are not scored.
        """
        number = round(forecast.time / self._step)
        is_new = number != self._newest
        self._move_to(number)
        self._add_hosts(forecast.hosts)
        rows = np.fromiter((self._rows[host] for host in forecast.hosts), np.intp, len(forecast.hosts))
        slot = number % self._slots
        self._known[slot, rows] += 1
        self._high[slot, rows] = forecast.high
        self._high_at[rows[forecast.high]] = number
        self._base_rates[rows] = forecast.base_rates
        if live:
            self._probabilities[slot, rows] = forecast.probabilities
            self._warnings[slot, rows] = forecast.warnings
        if is_new:
            for index, length in enumerate(self._lengths):
                self._score(number, index, length)

    def remove(self, hosts: Sequence[str]) -> None:
        """Forget hosts, with their predictions that are not scored yet and with their totals."""
        removed = set(hosts)
        kept = np.array([host not in removed for host in self._hosts], bool)
        self._hosts = tuple(host for host in self._hosts if host not in removed)
        self._rows = {host: row for row, host in enumerate(self._hosts)}
        for name in _RINGS:
            setattr(self, name, getattr(self, name)[:, kept])
        self._base_rates = self._base_rates[kept]
        self._high_at = self._high_at[kept]
        self._totals = {hour: totals[kept] for hour, totals in self._totals.items()}

    def take(self) -> tuple[FleetScore, ...]:
        """Return the totals since the last call."""
        scores = []
        for hour, totals in self._totals.items():
            for row, index in np.argwhere(totals.any(axis=2)):
                counts = totals[row, index]
                values: dict[str, Any] = {
                    name: float(value) if name.endswith("brier_sum") else int(value)
                    for name, value in zip(SCORE_SUMS, counts, strict=True)
                }
                scores.append(FleetScore(self._hosts[row], self.horizons[index], hour, **values))
        self._totals.clear()
        return tuple(scores)

    def _move_to(self, number: int) -> None:
        """Empty the slots up to a step; the counts of known steps continue."""
        first = number if self._newest is None else self._newest + 1
        for empty in range(max(first, number - self._slots + 1), number + 1):
            slot = empty % self._slots
            previous = (empty - 1) % self._slots if empty > first or self._newest is not None else slot
            self._probabilities[slot] = np.nan
            self._warnings[slot] = False
            self._high[slot] = False
            self._known[slot] = self._known[previous]
        self._newest = number

    def _add_hosts(self, hosts: Sequence[str]) -> None:
        new = [host for host in hosts if host not in self._rows]
        if not new:
            return
        self._hosts = (*self._hosts, *new)
        self._rows = {host: row for row, host in enumerate(self._hosts)}
        for name, fill in _RINGS.items():
            ring = getattr(self, name)
            added = np.full((ring.shape[0], len(new), *ring.shape[2:]), fill, ring.dtype)
            setattr(self, name, np.concatenate([ring, added], axis=1))
        self._base_rates = np.concatenate([self._base_rates, np.full((len(new), len(self.horizons)), np.nan)])
        self._high_at = np.concatenate([self._high_at, np.full(len(new), -1)])
        for hour, totals in self._totals.items():
            self._totals[hour] = np.concatenate([totals, np.zeros((len(new), *totals.shape[1:]))])

    def _score(self, number: int, index: int, length: int) -> None:
        """Add the predictions of one horizon, made `length` steps before step `number`, to the totals."""
        made = number - length
        slot = made % self._slots
        probabilities = self._probabilities[slot, :, index].astype(float)
        predicted = np.isfinite(probabilities)
        if not predicted.any():
            return
        happened = self._high_at > made
        steps = self._known[number % self._slots] - self._known[slot]
        scored = predicted & (happened | (steps >= MIN_KNOWN * length))
        calm = scored & ~self._high[slot]
        warned = calm & self._warnings[slot, :, index]
        # Without a base rate, a prediction counts as neither better nor worse than it.
        base_rates = np.where(np.isnan(self._base_rates[:, index]), probabilities, self._base_rates[:, index])
        sums = {
            "unknown": predicted & ~scored,
            "scored": scored,
            "events": calm & happened,
            "warnings": warned,
            "true_warnings": warned & happened,
            "outcome_sum": scored & happened,
            "brier_sum": np.where(scored, (np.nan_to_num(probabilities) - happened) ** 2, 0.0),
            "baseline_brier_sum": np.where(scored, (np.nan_to_num(base_rates) - happened) ** 2, 0.0),
        }
        at = made * self._step
        hour = at - at % HOUR
        shape = (len(self._hosts), len(self.horizons), len(SCORE_SUMS))
        totals = self._totals.setdefault(hour, np.zeros(shape))
        totals[:, index] += np.stack([sums[name] for name in SCORE_SUMS], axis=1)


_RINGS: dict[str, Any] = {"_probabilities": np.nan, "_warnings": False, "_high": False, "_known": 0}
"""Attributes with the slots of the steps as their first axis and the hosts as their second."""

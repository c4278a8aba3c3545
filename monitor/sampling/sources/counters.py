"""Counters: increases of cumulative counters over glitches and resets.

The reading before a glitch stays the reference, so the value after it is right. Two consecutive readings that fit
each other and not the reference are a reset, after which the counter is usable again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Counts = tuple[int, ...]
"""Counters of one device, read together."""

Increase = Callable[[str, Counts, Counts, float], Counts | None]
"""Function of a device's name, earlier counts, later counts and the seconds between them.

It returns the increase of each counter; None if these counts cannot follow each other in this time.
"""

MAX_COUNT = 2**63
"""Counts from here on are impossible: at 100 GB/s it takes three years, so they are negative numbers of a driver."""

FORGET_AFTER = 60.0
"""Seconds after which the readings of a device that has disappeared are dropped."""


@dataclass(frozen=True, slots=True)
class Step:
    """Increase of the counters of a device over a time in seconds."""

    counts: Counts
    seconds: float

    def rate(self, index: int) -> float:
        """Return the increase of one counter per second."""
        return self.counts[index] / self.seconds


@dataclass(slots=True)
class _Device:
    """Readings of one device.

    Attributes:
        reference: newest counts that are trusted.
        reference_at: their time.
        candidate: newer counts that do not fit the reference, of a glitch or after a reset; None without.
        candidate_at: their time.
        abandoned: counts before a reset after which the counters have not moved yet; None without. If they are
            reached in one step, the reset was a glitch.
    """

    reference: Counts
    reference_at: float
    candidate: Counts | None = None
    candidate_at: float = 0.0
    abandoned: Counts | None = None

    @property
    def jumped(self) -> bool:
        """True if the candidate is beyond the reference, which no reset explains."""
        return self.candidate is not None and all(map(int.__ge__, self.candidate, self.reference))

    def trust(self, counts: Counts, at: float) -> None:
        """Make counts the reference."""
        self.reference = counts
        self.reference_at = at
        self.candidate = None
        self.abandoned = None


class CounterMeter:
    """Earlier counts of a set of devices, and the increases since then. For one thread."""

    def __init__(self, increase: Increase) -> None:
        """Start without readings.

        Args:
            increase: decides whether counts can follow each other.
        """
        self._increase = increase
        self._devices: dict[str, _Device] = {}

    def update(self, readings: Mapping[str, Counts], at: float, max_age: float) -> dict[str, Step | None]:
        """Return the increases of the devices since their references, and take over the readings.

        Args:
            readings: counts by device.
            at: time of the readings in seconds of the monotonic clock.
            max_age: largest age of a reference in seconds.

        Returns:
            By device: its increase, or None where it is unknown because of a glitch or a reset. A device is left out
            if it appeared, or has had no usable counter for longer than `max_age`.
        """
        steps: dict[str, Step | None] = {}
        for name, counts in readings.items():
            device = self._devices.get(name)
            if device is None:
                if _is_possible(counts):
                    self._devices[name] = _Device(counts, at)
                continue
            trusted_at = device.reference_at
            step = self._advance(name, device, counts, at, max_age)
            if step is not None and step.seconds <= max_age:
                steps[name] = step
            elif step is None and at - trusted_at <= max_age:
                steps[name] = None
        self._forget(readings, at)
        return steps

    def _advance(self, name: str, device: _Device, counts: Counts, at: float, max_age: float) -> Step | None:
        """Update the readings of a device, and return its increase; None if it is unknown."""
        seconds = at - device.reference_at
        if seconds <= 0 or not _is_possible(counts):
            return None
        if device.jumped:
            step = self._follow_candidate(name, device, counts, at)
            if step is not None:
                return step
        increase = self._increase(name, device.reference, counts, seconds)
        if increase is not None:
            return self._follow_reference(device, counts, at, Step(increase, seconds))
        # Zeros may be the answer of a driver that has no figures now, so they confirm each other only after a while.
        if any(counts) or seconds > max_age:
            step = self._follow_candidate(name, device, counts, at)
            if step is not None:
                return step
        device.candidate = counts
        device.candidate_at = at
        return None

    def _follow_candidate(self, name: str, device: _Device, counts: Counts, at: float) -> Step | None:
        """Trust counts that fit the candidate, and return the increase since then; None if they do not fit."""
        if device.candidate is None:
            return None
        seconds = at - device.candidate_at
        increase = self._increase(name, device.candidate, counts, seconds)
        if increase is None:
            return None
        abandoned = None if any(increase) else device.reference
        device.trust(counts, at)
        device.abandoned = abandoned
        return Step(increase, seconds)

    @staticmethod
    def _follow_reference(device: _Device, counts: Counts, at: float, step: Step) -> Step | None:
        """Trust counts that fit the reference, and return the increase unless it is the end of a long glitch."""
        abandoned = device.abandoned
        if abandoned is None or any(step.counts):
            device.trust(counts, at)
        else:
            device.reference_at = at
        ends_glitch = abandoned is not None and all(map(int.__ge__, counts, abandoned))
        return None if ends_glitch else step

    def _forget(self, readings: Mapping[str, Counts], at: float) -> None:
        """Drop the readings of devices that disappeared some time ago."""
        if len(readings) < len(self._devices):
            gone = [name for name in self._devices.keys() - readings.keys() if self._is_old(name, at)]
            for name in gone:
                del self._devices[name]

    def _is_old(self, name: str, at: float) -> bool:
        return at - self._devices[name].reference_at > FORGET_AFTER


def _is_possible(counts: Counts) -> bool:
    return min(counts) >= 0 and max(counts) < MAX_COUNT


def limited_increase(earlier: Counts, later: Counts, limits: tuple[float, ...]) -> Counts | None:
    """Return the increase of each counter; None if one decreased, or increased by more than its limit."""
    increase = tuple(map(int.__sub__, later, earlier))
    for count, limit in zip(increase, limits, strict=True):
        if not 0 <= count <= limit:
            return None
    return increase

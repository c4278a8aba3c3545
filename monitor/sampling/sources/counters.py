"""Counter meter: increases of cumulative counters, robust to glitches and resets.

The increase is computed from a reference, the newest trusted reading. A reading that cannot follow the reference
becomes the candidate. If the next reading can follow the candidate, the counter was reset, and that reading becomes
the reference. Otherwise the candidate was a glitch, and the reference stays.

A counter that falls and later returns to its old level has not counted anything: no increase spans the return.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Counts = tuple[int, ...]
"""Counter values of one device, from one reading."""

Increase = Callable[[str, Counts, Counts, float], Counts | None]
"""Function of a device name, the counts of two readings (the earlier first), and the seconds between the readings.

It returns the increase of each counter; None if the later counts cannot follow the earlier counts in this time.
"""

MAX_COUNT = 2**63
"""Smallest invalid count: a byte counter reaches 2^63 after three years at 100 GB/s.

Larger counts are negative numbers that a driver reports as unsigned.
"""

FORGET_AFTER = 60.0
"""Age in seconds of the reference at which a device that has disappeared is dropped."""


@dataclass(frozen=True, slots=True)
class Step:
    """Increases of the counters of one device between two readings that are `seconds` apart."""

    counts: Counts
    seconds: float

    def rate(self, index: int) -> float:
        """Return the increase per second of the counter at `index`."""
        return self.counts[index] / self.seconds


@dataclass(slots=True)
class _Device:
    """Counter readings of one device; times are seconds of the monotonic clock.

    Attributes:
        reference: newest trusted counts.
        reference_at: time of the reference.
        candidate: newer counts that cannot follow the reference (a glitch, or the first reading after a reset); None
            if the newest counts are trusted.
        candidate_at: time of the candidate.
        abandoned: highest counts before apparent resets, until the counters have returned to them; otherwise None.
    """

    reference: Counts
    reference_at: float
    candidate: Counts | None = None
    candidate_at: float = 0.0
    abandoned: Counts | None = None

    @property
    def jumped(self) -> bool:
        """Return True if no count of the candidate is below the reference: a jump, not a reset."""
        return self.candidate is not None and all(map(int.__ge__, self.candidate, self.reference))

    def baselines(self, *, with_candidate: bool) -> list[tuple[Counts, float]]:
        """Return the counts from which an increase may start, in the order in which they are tried, with their times.

        Args:
            with_candidate: True to include the candidate although it is no jump.
        """
        baselines = [(self.reference, self.reference_at)]
        if self.candidate is not None and (with_candidate or self.jumped):
            baselines.insert(0 if self.jumped else 1, (self.candidate, self.candidate_at))
        return baselines

    def trust(self, counts: Counts, at: float) -> None:
        """Make `counts` the reference, and drop the candidate."""
        self.reference = counts
        self.reference_at = at
        self.candidate = None
        if self.abandoned is not None and all(map(int.__ge__, counts, self.abandoned)):
            self.abandoned = None

    def abandon_reference(self) -> None:
        """Remember the counts before an apparent reset."""
        self.abandoned = tuple(map(max, self.abandoned or self.reference, self.reference))

    def returns(self, earlier: Counts, later: Counts) -> bool:
        """Return True if a step leads back to the abandoned counts, so that the apparent reset was a long glitch.

        The step then covers at least half of the distance to the abandoned counts, in all counters below them.
        """
        if self.abandoned is None:
            return False
        below = [
            2 * (new - old) >= level - old
            for level, old, new in zip(self.abandoned, earlier, later, strict=True)
            if old < level
        ]
        return bool(below) and all(below)


class CounterMeter:
    """Meter for the counter increases of a set of devices. For use by one thread."""

    def __init__(self, increase: Increase) -> None:
        """Initialize a meter without readings.

        Args:
            increase: returns the increase between two readings; None if it is implausible.
        """
        self._increase = increase
        self._devices: dict[str, _Device] = {}

    def update(self, readings: Mapping[str, Counts], at: float, max_age: float) -> dict[str, Step | None]:
        """Return the increase for each device since its reference or, after a reset, since its candidate.

        The readings are stored as references or candidates.

        Args:
            readings: counts for each device name.
            at: time of the readings in seconds of the monotonic clock.
            max_age: largest age of a reference in seconds.

        Returns:
            The increase for each device name; None if a glitch or a reset makes it unknown. A device is left out if
            it is new, or if the increase would start at a reading older than `max_age`.
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
        """Update the state of a device with new counts, and return the increase; None if it is unknown."""
        seconds = at - device.reference_at
        if seconds <= 0 or not _is_possible(counts):
            return None
        # A driver without current figures may report zeros: they count as a reset only after `max_age`.
        for earlier, earlier_at in device.baselines(with_candidate=any(counts) or seconds > max_age):
            increase = self._increase(name, earlier, counts, at - earlier_at)
            if increase is None:
                continue
            if earlier is device.candidate:
                device.abandon_reference()
            returned = device.returns(earlier, counts)
            device.trust(counts, at)
            if returned:
                device.abandoned = None
            return None if returned else Step(increase, at - earlier_at)
        device.candidate = counts
        device.candidate_at = at
        return None

    def _forget(self, readings: Mapping[str, Counts], at: float) -> None:
        """Drop devices that are not in `readings` and whose reference is older than FORGET_AFTER."""
        if len(readings) < len(self._devices):
            gone = [name for name in self._devices.keys() - readings.keys() if self._is_old(name, at)]
            for name in gone:
                del self._devices[name]

    def _is_old(self, name: str, at: float) -> bool:
        return at - self._devices[name].reference_at > FORGET_AFTER


def _is_possible(counts: Counts) -> bool:
    return min(counts) >= 0 and max(counts) < MAX_COUNT


def limited_increase(earlier: Counts, later: Counts, limits: tuple[float, ...]) -> Counts | None:
    """Return the increase of each counter; None if a counter decreased, or increased by more than its limit."""
    increase = tuple(map(int.__sub__, later, earlier))
    for count, limit in zip(increase, limits, strict=True):
        if not 0 <= count <= limit:
            return None
    return increase

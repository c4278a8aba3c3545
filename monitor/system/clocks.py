"""Clocks: tell a suspend of the machine from a set clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

MIN_CHANGE = 0.5
"""Seconds by which two clocks must diverge to count as set or suspended; reading them one by one takes less."""


def wall_time() -> float:
    """Return seconds since the epoch; unlike a stored reference to `time.time`, a test can set it."""
    return time.time()


def boot_time() -> float:
    """Return seconds since boot, with the time in which the machine was suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class ClockChange:
    """Divergence of the clocks since an earlier comparison.

    Attributes:
        step: seconds by which the wall clock was set forward, negative for back; 0.0 if it was not set.
        suspended: seconds in which the machine was suspended; 0.0 if it was not.
    """

    step: float
    suspended: float


class ClockComparison:
    """Comparison of the wall clock, the monotonic clock and the time since boot.

    One thread updates it; any thread may read the pending change.

    The monotonic clock (CLOCK_MONOTONIC) stops while the machine is suspended, the time since boot (CLOCK_BOOTTIME)
    does not, and neither can be set.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], float] = wall_time,
        monotonic: Callable[[], float] = time.monotonic,
        boot: Callable[[], float] = boot_time,
    ) -> None:
        """Compare the clocks for the first time.

        Args:
            wall: returns seconds since the epoch.
            monotonic: returns seconds of a clock that never goes back and stops during a suspend.
            boot: returns seconds of a clock that never goes back nor stops.
        """
        self._wall = wall
        self._monotonic = monotonic
        self._boot = boot
        self._reference = self._offsets()

    def pending(self) -> ClockChange:
        """Return the change since the last comparison."""
        return self._change(self._offsets())

    def update(self) -> ClockChange:
        """Return the change since the last comparison, which this one replaces."""
        offsets = self._offsets()
        change = self._change(offsets)
        self._reference = offsets
        return change

    def _change(self, offsets: tuple[float, float]) -> ClockChange:
        step, suspended = (new - old for new, old in zip(offsets, self._reference, strict=True))
        return ClockChange(
            step=step if abs(step) > MIN_CHANGE else 0.0,
            suspended=suspended if suspended > MIN_CHANGE else 0.0,
        )

    def _offsets(self) -> tuple[float, float]:
        """Return how far the wall clock is ahead of the time since boot, and that ahead of the monotonic clock."""
        boot = self._boot()
        return self._wall() - boot, boot - self._monotonic()

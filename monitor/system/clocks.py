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
    """Comparison of the wall clock, the monotonic clock and the time since boot. For one thread.

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
        self._wall_offset, self._suspended = self._offsets()

    def update(self) -> ClockChange:
        """Return the change since the last comparison, which this one replaces."""
        wall_offset, suspended = self._offsets()
        step = wall_offset - self._wall_offset
        sleep = suspended - self._suspended
        self._wall_offset = wall_offset
        self._suspended = suspended
        return ClockChange(
            step=step if abs(step) > MIN_CHANGE else 0.0, suspended=sleep if sleep > MIN_CHANGE else 0.0
        )

    def _offsets(self) -> tuple[float, float]:
        boot = self._boot()
        return self._wall() - boot, boot - self._monotonic()

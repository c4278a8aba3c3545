"""Clock comparison: distinguishes a suspend of the machine from a clock step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

MIN_CHANGE = 0.5
"""Smallest divergence in seconds that counts as a step or a suspend; reading the clocks one by one takes less."""

MAX_READING_SECONDS = 0.1
"""Longest time in seconds between the readings of a comparison; it is repeated up to MAX_READINGS times."""

MAX_READINGS = 5


def wall_time() -> float:
    """Return seconds since the epoch; looks up `time.time` at each call, so that tests can replace it."""
    return time.time()


def boot_time() -> float:
    """Return seconds since boot, suspended time included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class ClockChange:
    """Divergence of the clocks since the previous comparison.

    Attributes:
        step: seconds by which the wall clock was set, negative for backwards; 0.0 without a step.
        suspended: seconds for which the machine was suspended; 0.0 without a suspend.
    """

    step: float
    suspended: float


class ClockComparison:
    """Comparison of the wall clock, the monotonic clock and the time since boot.

    CLOCK_MONOTONIC stops during a suspend, CLOCK_BOOTTIME does not, and neither can be set. Only one thread may call
    `update`; any thread may call `pending`.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], float] = wall_time,
        monotonic: Callable[[], float] = time.monotonic,
        boot: Callable[[], float] = boot_time,
    ) -> None:
        """Initialize the comparison: the current clock offsets are the first reference.

        Args:
            wall: returns seconds since the epoch.
            monotonic: monotonic clock that stops during a suspend; returns seconds.
            boot: monotonic clock that also advances during a suspend; returns seconds.
        """
        self._wall = wall
        self._monotonic = monotonic
        self._boot = boot
        self._reference = self._offsets()

    def pending(self) -> ClockChange:
        """Return the clock step and the suspended time since the last `update`, without changing the reference."""
        return self._change(self._offsets())

    def update(self) -> ClockChange:
        """Return the same as `pending`, and make the current clock offsets the new reference."""
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
        """Return two differences in seconds: wall clock - time since boot, time since boot - monotonic clock.

        The clocks are read again if this thread was interrupted between the readings, for example by a suspend.
        """
        for _ in range(MAX_READINGS):
            boot = self._boot()
            wall = self._wall()
            monotonic = self._monotonic()
            if self._boot() - boot < MAX_READING_SECONDS:
                break
        return wall - boot, boot - monotonic

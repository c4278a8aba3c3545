"""Source protocol: raw readings of the host, and sample values computed from them."""

from __future__ import annotations

from typing import Any, Protocol

Values = dict[str, float | None]
"""Values of a sample by field; None where a value is missing."""

READ_DELAY = 0.5
"""Largest delay in seconds between reading the clock and reading a counter, on a host whose CPUs are all busy."""

MAX_TIME_RATIO = 1.5
"""Largest plausible ratio of the increase of a time counter to the time elapsed."""


class Source(Protocol):
    """Reader of one group of host metrics, such as the CPU metrics. For use by one thread."""

    @property
    def name(self) -> str:
        """Return the name of the source in the configuration."""
        ...

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the fields of a sample that the source measures."""
        ...

    @property
    def optional(self) -> bool:
        """Return True if the source may yield no value on a healthy host, such as a host without swap space."""
        ...

    def read(self) -> Any:
        """Return a reading for `compute`, in a form that the source defines; OSError and ValueError propagate."""
        ...

    def compute(self, reading: Any, at: float, max_age: float) -> Values:
        """Return the values of the fields; the reading becomes the reference for the rates of the next call.

        Args:
            reading: result of `read`.
            at: time of the reading, in seconds of the monotonic clock.
            max_age: largest age in seconds of an earlier reading that a rate may start from; 0 computes no rates.

        Returns:
            The value of each field in the unit of its metric; None for a missing value.
        """
        ...


def time_ratio(increase: float, seconds: float) -> float | None:
    """Return the ratio of the increase of a time counter to the time elapsed, clipped at 1.

    The ratio may exceed 1 slightly, because counter and clock are not read at the same time.

    Args:
        increase: increase of the counter in seconds.
        seconds: time between the two readings.

    Returns:
        A ratio from 0 to 1; None if the increase exceeds MAX_TIME_RATIO * (seconds + READ_DELAY).
    """
    if increase > MAX_TIME_RATIO * (seconds + READ_DELAY):
        return None
    return min(increase / seconds, 1.0)

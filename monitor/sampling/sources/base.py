"""Source protocol: read raw figures of the host and compute values of a sample."""

from __future__ import annotations

from typing import Any, Protocol

Values = dict[str, float | None]
"""Values of a sample by field; None where a value is missing."""

READ_DELAY = 0.5
"""Largest time in seconds between reading the clock and reading a counter, on a host whose CPUs are all busy."""

MAX_TIME_RATIO = 1.5
"""Largest increase of a counter of time over the time elapsed, beyond which the counter is wrong."""


class Source(Protocol):
    """A part of the host that is measured. For use by one thread."""

    @property
    def name(self) -> str:
        """Return the name in the configuration."""
        ...

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the fields of a sample that the source measures."""
        ...

    @property
    def optional(self) -> bool:
        """Return True if a healthy host may have no value at all of this source, as one without swap."""
        ...

    def read(self) -> Any:
        """Return the current raw figures. Raises any exception that the host causes."""
        ...

    def compute(self, reading: Any, at: float, max_age: float) -> Values:
        """Return the values of the fields.

        Sources of rates keep their earlier readings, which this call updates.

        Args:
            reading: newest reading.
            at: its time in seconds of the monotonic clock.
            max_age: largest age in seconds of an earlier reading that a rate may start from; 0 for no rates.

        Returns:
            Ratios from 0 to 1, rates per second, sizes in bytes.
        """
        ...


def time_ratio(increase: float, seconds: float) -> float | None:
    """Return the increase of a counter of time over the time elapsed, both in seconds.

    Counter and clock are not read at the same time, so a ratio may exceed 1; it is clipped. None for an increase that
    this does not explain.
    """
    if increase > MAX_TIME_RATIO * (seconds + READ_DELAY):
        return None
    return min(increase / seconds, 1.0)

"""Source protocol: read raw figures of the host and compute values from two readings.

A source keeps no reading: the sampler holds the previous one. A test therefore needs no host, and a failure leaves no
half-updated state.
"""

from __future__ import annotations

from typing import Any, Protocol

Values = dict[str, float | None]
"""Values of a sample by field; None where a value is missing."""


class Source(Protocol):
    """A part of the host that is measured."""

    @property
    def name(self) -> str:
        """Return the name in the configuration."""
        ...

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the fields of a sample that the source measures."""
        ...

    def read(self) -> Any:
        """Return the current raw figures. Raises any exception that the host causes."""
        ...

    def compute(self, previous: Any | None, current: Any, seconds: float) -> Values:
        """Return the values of the fields.

        Args:
            previous: earlier reading; None if there is none, which leaves all rates missing.
            current: newest reading.
            seconds: time between the readings; above 0 if there is an earlier one.

        Returns:
            Ratios from 0 to 1, rates per second, sizes in bytes.
        """
        ...


def per_second(previous: float, current: float, seconds: float) -> float | None:
    """Return the rate of a counter; None if the counter decreased, after a reset or an overflow."""
    return (current - previous) / seconds if current >= previous and seconds > 0 else None

"""What a source is, and what all of them do alike.

A source only reads and computes: what it read before is held by the sampler, so that a test needs no host and a
failure leaves nothing half updated.
"""

from __future__ import annotations

from typing import Any, Protocol

Rates = dict[str, float | None]
"""Fields of a sample; None where a value is missing."""


class Source(Protocol):
    """One part of the host."""

    @property
    def name(self) -> str:
        """As in the configuration."""
        ...

    @property
    def fields(self) -> tuple[str, ...]:
        """What it gives to a sample."""
        ...

    def read(self) -> Any:
        """The raw figures of this moment. Raises whatever the host makes it raise."""
        ...

    def rates(self, before: Any | None, after: Any, seconds: float) -> Rates:
        """The fields from two readings `seconds` apart; without one before, only those that need no rate.

        Ratios are 0 to 1, rates per second, sizes in bytes. `seconds` is above 0 where there is a reading before.
        """
        ...


def per_second(before: float, after: float, seconds: float) -> float | None:
    """The rate of a counter; None where it went back (reset or wrapped)."""
    return (after - before) / seconds if after >= before and seconds > 0 else None

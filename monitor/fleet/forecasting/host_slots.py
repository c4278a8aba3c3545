"""Host slots: positions of hosts in blocks of equal size."""

from __future__ import annotations

import heapq

Place = tuple[int, int]
"""Number of a block, and position in it."""


class HostSlots:
    """Assignment of hosts to positions, lowest free position first."""

    def __init__(self, block_size: int) -> None:
        """Create an empty assignment.

        Args:
            block_size: number of positions of a block.
        """
        self._block_size = block_size
        self._numbers: dict[str, int] = {}
        self._free: list[int] = []
        self._used = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, host: str) -> bool:
        return host in self._numbers

    def __getitem__(self, host: str) -> Place:
        return divmod(self._numbers[host], self._block_size)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts that have a position, sorted."""
        return tuple(sorted(self._numbers))

    def add(self, host: str) -> Place:
        """Assign the lowest free position to a new host, and return it."""
        if self._free:
            number = heapq.heappop(self._free)
        else:
            number = self._used
            self._used += 1
        self._numbers[host] = number
        return self[host]

    def remove(self, host: str) -> Place | None:
        """Free the position of a host and return it; None if the host has none."""
        number = self._numbers.pop(host, None)
        if number is None:
            return None
        heapq.heappush(self._free, number)
        return divmod(number, self._block_size)

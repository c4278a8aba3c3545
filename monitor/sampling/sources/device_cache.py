"""Device cache: rarely changing properties of devices, which are slow to read from sysfs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

REFRESH_AFTER = 60
"""Number of lookups after which the properties are read again, to notice a new link speed or a new volume."""


class DeviceCache(Generic[T]):
    """Cached properties of a set of devices, read again when the set changes and every `refresh_after` lookups.

    Sources look up the properties at each sample, and sysfs is slow: some drivers acquire a lock for each read.
    """

    def __init__(self, load: Callable[[frozenset[str]], T], refresh_after: int = REFRESH_AFTER) -> None:
        """Initialize the cache, and call `load` once with an empty set of names.

        Args:
            load: reads the properties of the devices with the given names; it may ignore the names if the property
                belongs to the host, such as the number of CPUs.
            refresh_after: number of lookups after which the properties are read again.
        """
        self._load = load
        self._refresh_after = refresh_after
        self._names: frozenset[str] = frozenset()
        self._properties = load(self._names)
        self._lookups = 0

    def get(self, names: Iterable[str]) -> T:
        """Return the properties of the devices; reload them if `names` changed or after `refresh_after` lookups.

        An exception raised by `load` propagates, and the next lookup calls `load` again.
        """
        self._lookups += 1
        current = frozenset(names)
        if current != self._names or self._lookups >= self._refresh_after:
            self._properties = self._load(current)
            self._names = current
            self._lookups = 0
        return self._properties

    def expire(self) -> None:
        """Make the next lookup read the properties again."""
        self._lookups = self._refresh_after

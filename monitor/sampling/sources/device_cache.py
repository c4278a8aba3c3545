"""What hardly ever changes and costs much to ask: which devices are real, how fast a link is.

A reading is taken every second or so, and sysfs answers slowly (some drivers lock for it), so answers are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

REFRESH = 60
"""Readings after which an answer is asked for again: a link that came up, a disk that a volume now lies on."""


class DeviceCache(Generic[T]):
    """The answer for the devices of now; asked again when their names change, and every `REFRESH` readings."""

    def __init__(self, ask: Callable[[frozenset[str]], T]) -> None:
        self._ask = ask
        self._names: frozenset[str] = frozenset()
        self._answer = ask(self._names)
        self._age = 0

    def of(self, names: Iterable[str]) -> T:
        """The facts of these names. Raises whatever asking raises, and then asks again next time."""
        self._age += 1
        now = frozenset(names)
        if now != self._names or self._age >= REFRESH:
            self._answer = self._ask(now)
            self._names, self._age = now, 0
        return self._answer

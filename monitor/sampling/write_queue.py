"""Write queue: bounded queue between the thread that samples and the thread that stores."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

Item = TypeVar("Item")


class WriteQueue(Generic[Item]):
    """Thread-safe queue that drops its oldest items when it is full, except for those being stored.

    Attributes:
        capacity: largest number of items.
        dropped: number of items dropped since the start.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.dropped = 0
        self._lock = threading.Lock()
        self._items: deque[Item] = deque()
        self._taken = 0

    def __len__(self) -> int:
        return len(self._items)

    def extend(self, new: Sequence[Item]) -> int:
        """Append items, and return the number of old items dropped for them."""
        with self._lock:
            self._items.extend(new)
            waiting = len(self._items) - self._taken - len(new)
            dropped = max(0, min(len(self._items) - self.capacity, waiting))
            for _ in range(dropped):
                del self._items[self._taken]
            self.dropped += dropped
        return dropped

    def items(self) -> list[Item]:
        """Return all items, oldest first."""
        with self._lock:
            return list(self._items)

    def take(self, count: int) -> list[Item]:
        """Return the oldest items, at most `count`; they stay in the queue until `remove_taken` or `put_back`."""
        with self._lock:
            items = list(islice(self._items, count))
            self._taken = len(items)
        return items

    def remove_taken(self) -> None:
        """Remove the items returned by the last `take`: they are stored."""
        with self._lock:
            for _ in range(self._taken):
                self._items.popleft()
            self._taken = 0

    def put_back(self) -> None:
        """Keep the items returned by the last `take`: they could not be stored."""
        with self._lock:
            self._taken = 0

    def replace_each(self, change: Callable[[Item], Item]) -> None:
        """Replace each item by the result of `change`."""
        with self._lock:
            self._items = deque(map(change, self._items))

"""Garbage collection: pauses while many objects without reference cycles are created."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_pauses = 0
_was_enabled = False


@contextmanager
def collection_paused() -> Iterator[None]:
    """Disable the garbage collector for a `with` block, also if blocks of several threads overlap.

    The lists of a decoded answer start hundreds of collections, which find nothing and take almost half of the time.
    """
    global _pauses, _was_enabled  # noqa: PLW0603 - the garbage collector is global as well
    with _lock:
        if not _pauses:
            _was_enabled = gc.isenabled()
            gc.disable()
        _pauses += 1
    try:
        yield
    finally:
        with _lock:
            _pauses -= 1
            if not _pauses and _was_enabled:
                gc.enable()

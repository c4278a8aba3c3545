"""Memory of a long-lived process: glibc's malloc and Python's garbage collection."""

from __future__ import annotations

import ctypes
import gc

M_MMAP_THRESHOLD = -3
"""Parameter of mallopt(3) for the mmap threshold, from glibc's malloc.h."""

M_ARENA_MAX = -8
"""Parameter of mallopt(3) for the number of arenas, from glibc's malloc.h."""

MMAP_THRESHOLD_BYTES = 128 * 1024
"""Allocation size in bytes from which malloc uses mmap: glibc's initial value."""

GC_THRESHOLDS = (20_000, 20, 20)
"""Thresholds of the garbage collection. The default of 700 for the youngest generation is too low: a sampling cycle
allocates thousands of short-lived tuples.
"""


def tune_malloc() -> None:
    """Tune glibc's malloc for a long-lived process, so that freed memory is used again or returned to the kernel.

    - By default each freed large block raises the mmap threshold. Later large blocks then come from the heap, where a
      small allocation above a freed block prevents its return to the kernel.
    - By default each thread has an arena of its own, and each arena keeps the memory of its largest moment. Python
      runs one thread at a time: one arena costs no time.

    Call it before the first thread starts. Without `mallopt` in the C library, the function does nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES)
        mallopt(M_ARENA_MAX, 1)


def tune_garbage_collection() -> None:
    """Exclude all existing objects from garbage collection, and collect new objects less often.

    Call it at the end of the start: objects that exist then live as long as the process.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def release_memory() -> None:
    """Return memory that is not in use to the kernel; call it from time to time.

    A full collection also empties Python's free lists, which requests fill with thousands of objects. Without
    `malloc_trim` in the C library, the heap keeps its size.
    """
    gc.collect()
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)

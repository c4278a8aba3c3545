"""Address space: limit of the process, compared with the size that the large commands need."""

from __future__ import annotations

import resource

NEEDED_BYTES = 256 * 2**20
"""Smallest limit with which the daemon starts and a short history is trained; the BLAS library ends a process that
cannot map its buffers.
"""


def address_space_problem() -> str:
    """Return a sentence if the limit of the address space (RLIMIT_AS) is too small; empty if it suffices."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY or limit >= NEEDED_BYTES:
        return ""
    limited = f"the address space is limited to {limit >> 20} MiB (RLIMIT_AS, ulimit -v)"
    return f"not enough memory: {limited}, and {NEEDED_BYTES >> 20} MiB are needed"

"""Limits of a process and its standard streams."""

import fcntl
import os
import re
import resource
import time
from contextlib import contextmanager, suppress
from pathlib import Path

F_SETPIPE_SZ = 1031


def limit(pid, kind, value):
    """Set a soft limit of a running process, for example resource.RLIMIT_NOFILE, and return the former."""
    soft, hard = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (value, hard))
    return soft


@contextmanager
def limited(pid, kind, value):
    """Set a soft limit of a running process for a `with` block."""
    former = limit(pid, kind, value)
    try:
        yield
    finally:
        # The process may have ended.
        with suppress(ProcessLookupError):
            limit(pid, kind, former)


def open_descriptors(pid):
    """Return the number of open descriptors of a process."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def highest_descriptor(pid):
    """Return the highest open descriptor of a process."""
    return max(int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir())


def resident_memory(pid):
    """Return the resident memory of a process in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def cpu_seconds(pid):
    """Return the CPU time of a process."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def address_space(pid):
    """Return the size of the address space of a process in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


def wait_for_blocked_signal(pid, number):
    """Wait until a process blocks or catches a signal; before, the signal ends any process."""
    for _ in range(1000):
        status = Path(f"/proc/{pid}/status").read_text()
        masks = [int(value, 16) for value in re.findall(r"^Sig(?:Blk|Cgt):\t(\w+)$", status, re.MULTILINE)]
        if any(mask >> (number - 1) & 1 for mask in masks):
            return
        time.sleep(0.01)
    raise AssertionError(f"signal {number} is not handled")


@contextmanager
def unread_pipe(filled=True):
    """Yield the writing end of a pipe that nobody reads; with `filled`, a write to it blocks."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, F_SETPIPE_SZ, 4096)
    if filled:
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b"x" * 4096)
        except BlockingIOError:
            pass
        os.set_blocking(writing, True)
    try:
        yield writing
    finally:
        os.close(writing)
        os.close(reading)

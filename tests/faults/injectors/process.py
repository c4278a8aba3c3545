"""Limits of a process and its standard streams."""

import fcntl
import os
import resource
from contextlib import contextmanager
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
        limit(pid, kind, former)


def open_descriptors(pid):
    """Return the number of open descriptors of a process."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


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

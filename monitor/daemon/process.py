"""The process itself: its signals, its priority, its children.

Handlers are changed for a while and put back, so that tests and callers find what they left.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import psutil

from monitor.errors import MonitorError

TRAINER_GRACE = 10.0
"""Seconds that a trainer has beyond its own deadline before it is killed."""

M_MMAP_THRESHOLD = -3
"""The parameter's number in glibc's malloc.h."""

OWN_PAGES = 128 * 1024
"""Bytes from which memory is asked from the kernel and given back to it: what glibc begins with."""


class Signals:
    """What the outside asked for. `wake` is set with either."""

    def __init__(self) -> None:
        self.wake = threading.Event()
        self.stop = False
        self.reload = False

    def ask_stop(self, signum: int = 0, frame: FrameType | None = None) -> None:  # noqa: ARG002
        """SIGTERM and SIGINT."""
        self.stop = True
        self.wake.set()

    def ask_reload(self, signum: int = 0, frame: FrameType | None = None) -> None:  # noqa: ARG002
        """SIGHUP."""
        self.reload = True
        self.wake.set()


@contextmanager
def handled_signals() -> Iterator[Signals]:
    """Signals are asked for here instead of ending the process; the old handlers return at the end."""
    signals = Signals()
    wanted = {
        signal.SIGTERM: signals.ask_stop,
        signal.SIGINT: signals.ask_stop,
        signal.SIGHUP: signals.ask_reload,
    }
    before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deadline(seconds: float, message: str) -> Iterator[None]:
    """Raises in the main thread when the time is over.

    Raises:
        MonitorError: with the message.
    """

    def expire(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise MonitorError(message)

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def lower_priority() -> None:
    """The rest of the machine comes first: lowest CPU priority, I/O that can wait, and the first to go for memory.

    A sandbox may forbid each of it, and a training at normal priority is still a training.
    """
    with suppress(OSError):
        os.nice(19)
    with suppress(psutil.Error, OSError):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


def give_large_memory_back() -> None:
    """Keeps glibc's malloc from holding large pieces that were freed, for the rest of the process.

    It raises its threshold with each large piece that is freed, and those that follow leave holes in the heap for
    months. Where there is no such malloc nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, OWN_PAGES)


def stop_child(child: subprocess.Popen[bytes], patience: float) -> None:
    """Ends a child, politely for `patience` seconds."""
    child.terminate()
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def exit_reason(child: subprocess.Popen[bytes]) -> str:
    """How a child that has ended did so, in words, with the last line it wrote to stderr."""
    last = child.stderr.read().decode(errors="replace").strip().rpartition("\n")[2] if child.stderr else ""
    if child.returncode < 0:
        how = f"was ended by {signal.Signals(-child.returncode).name}"
    else:
        how = f"ended with exit code {child.returncode}"
    return f"{how}: {last}" if last else how

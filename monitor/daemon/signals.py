"""Signals of the daemon: blocked at process start, taken by the main thread.

A blocked signal stays pending in the kernel, which merges repeated signals. There is no signal handler that could
interrupt other code. Threads and child processes inherit the blocked signals. The imports are few, because a signal
that arrives before `block_signals` ends the process.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Flag

STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})
RELOAD_SIGNALS = frozenset({signal.SIGHUP})
SIGNALS = STOP_SIGNALS | RELOAD_SIGNALS


class Request(Flag):
    """Requests to the daemon: `STOP` by SIGTERM or SIGINT, `RELOAD` by SIGHUP."""

    NONE = 0
    STOP = 1
    RELOAD = 2


def block_signals() -> None:
    """Block the signals of the daemon; call this before the first thread starts."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def unblock_signals() -> None:
    """Unblock the signals of the daemon: a command that the daemon starts inherits them as blocked."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


@contextmanager
def blocked_signals() -> Iterator[None]:
    """Block the signals of the daemon during a `with` block, and restore the previous signal mask afterwards."""
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


def wait_for_request(timeout: float) -> Request:
    """Wait until a signal arrives, at most `timeout` seconds, and return the requests of all pending signals."""
    request = Request.NONE
    remaining = SIGNALS
    while remaining and (info := signal.sigtimedwait(remaining, 0 if request else timeout)):
        request |= Request.RELOAD if info.si_signo in RELOAD_SIGNALS else Request.STOP
        remaining -= {info.si_signo}
    return request


def stop_pending() -> bool:
    """Return True if a stop was requested that `wait_for_request` has not returned yet."""
    return not STOP_SIGNALS.isdisjoint(signal.sigpending())


def request_reload() -> None:
    """Request a reload of the configuration, from any thread."""
    main_thread = threading.main_thread().ident
    if main_thread is not None:
        signal.pthread_kill(main_thread, signal.SIGHUP)

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
SIGNALS = STOP_SIGNALS | RELOAD_SIGNALS | {signal.SIGALRM}
"""Blocked signals; SIGALRM ends a wait."""


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
    received: set[int] = set()
    if timeout > 0:
        # `sigtimedwait` with a timeout returns a random signal if SIGSTOP and SIGCONT interrupt it (CPython 3.11).
        signal.setitimer(signal.ITIMER_REAL, timeout)
        received.add(signal.sigwaitinfo(SIGNALS).si_signo)
        signal.setitimer(signal.ITIMER_REAL, 0)
    while info := signal.sigtimedwait(SIGNALS - received, 0):
        received.add(info.si_signo)
    request = Request.NONE if STOP_SIGNALS.isdisjoint(received) else Request.STOP
    return request if RELOAD_SIGNALS.isdisjoint(received) else request | Request.RELOAD


def request_reload() -> None:
    """Request a reload of the configuration, from any thread."""
    main_thread = threading.main_thread().ident
    if main_thread is not None:
        signal.pthread_kill(main_thread, signal.SIGHUP)

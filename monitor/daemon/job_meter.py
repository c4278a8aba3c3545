"""Job meter: counters, durations and heartbeat of one periodic job."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from monitor.state import Histogram, JobState
from monitor.system.clocks import wall_time

BUCKET_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.5, 10.0)
"""Upper bounds of the histogram buckets in seconds."""

MAX_STACK_DEPTH = 12
"""Largest number of frames in the description of a stack."""


class DurationHistogram:
    """Mutable histogram of durations, with the upper bounds BUCKET_BOUNDS."""

    def __init__(self) -> None:
        self._sum_seconds = 0.0
        self._counts = [0] * (len(BUCKET_BOUNDS) + 1)

    def add(self, seconds: float) -> None:
        """Add one duration in seconds to the histogram."""
        self._sum_seconds += seconds
        self._counts[bisect_left(BUCKET_BOUNDS, seconds)] += 1

    def snapshot(self) -> Histogram:
        """Return an immutable copy in which each bucket counts all durations up to its bound."""
        bounds = (*map(str, BUCKET_BOUNDS), "+Inf")
        return Histogram(self._sum_seconds, tuple(zip(bounds, accumulate(self._counts), strict=True)))


@dataclass(frozen=True)
class Run:
    """Run in progress: start on the monotonic clock, processor time of its thread before it, and the thread's ID."""

    started: float
    cpu_before: float
    thread: int


class JobMeter:
    """Thread-safe counters, histograms and heartbeat of one job.

    A job is overdue if a run takes longer than its deadline, or if no run ends for its interval and its deadline.
    """

    def __init__(self, interval: float, deadline: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Initialize the meter; the first run is expected within one interval.

        Args:
            interval: seconds between two runs.
            deadline: longest expected duration of a run in seconds.
            monotonic: monotonic clock that stops during a suspend; returns seconds.
        """
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._interval = interval
        self._deadline = deadline
        self._ended_at = monotonic()
        self._succeeded_at: float | None = None
        self._run: Run | None = None
        self._runs = 0
        self._failures = 0
        self._missed = 0
        self._cpu_seconds = 0.0
        self._duration = DurationHistogram()
        self._delay = DurationHistogram()
        self._snapshot: JobState | None = None

    def restart(self, interval: float, deadline: float) -> None:
        """Use another interval and deadline, and expect the next run within one interval; the counters continue."""
        with self._lock:
            self._interval = interval
            self._deadline = deadline
            self._ended_at = self._monotonic()

    def begin_run(self) -> None:
        """Record that the calling thread starts a run."""
        with self._lock:
            self._run = Run(self._monotonic(), time.thread_time(), threading.get_ident())

    def end_run(self, delay: float, *, failed: bool) -> None:
        """Count the run in progress, which started `delay` seconds after its scheduled time.

        Call it in the thread of the run.
        """
        now = self._monotonic()
        with self._lock:
            started = now
            if self._run is not None:
                started = self._run.started
                self._cpu_seconds += time.thread_time() - self._run.cpu_before
                self._run = None
            self._ended_at = now
            if not failed:
                self._succeeded_at = wall_time()
            self._runs += 1
            self._failures += failed
            self._duration.add(now - started)
            self._delay.add(delay)
            self._snapshot = None

    def add_missed(self) -> None:
        """Count a scheduled run that did not take place."""
        with self._lock:
            self._missed += 1
            self._snapshot = None

    def overdue(self) -> float:
        """Return how late the job is, as a multiple of its deadline; the job is hung above 1."""
        now = self._monotonic()
        run = self._run
        running = 0.0 if run is None else now - run.started
        return max(running, now - self._ended_at - self._interval) / self._deadline

    def hung_since(self) -> float | None:
        """Return when the run that hangs started, or when the last run ended; None if the job is not hung.

        The time is in seconds since the epoch.
        """
        if self.overdue() <= 1.0:
            return None
        run = self._run
        return wall_time() - (self._monotonic() - (self._ended_at if run is None else run.started))

    def stack(self) -> str:
        """Return the call stack of the run in progress; empty if there is none."""
        run = self._run
        return "" if run is None else thread_stack(run.thread)

    def state(self) -> JobState:
        """Return a snapshot of the counters and histograms: the same object until one of its values changes."""
        with self._lock:
            hung_since = self.hung_since()
            if self._snapshot is None or self._snapshot.hung or hung_since is not None:
                self._snapshot = JobState(
                    runs=self._runs,
                    failures=self._failures,
                    missed=self._missed,
                    duration=self._duration.snapshot(),
                    delay=self._delay.snapshot(),
                    cpu_seconds=self._cpu_seconds,
                    last_success_at=self._succeeded_at,
                    hung=hung_since is not None,
                    hung_since=hung_since,
                )
            return self._snapshot


def thread_stack(thread: int) -> str:
    """Return the innermost frames of a thread as `module:line function`, outermost first; empty if it has ended."""
    frame = sys._current_frames().get(thread)
    if frame is None:
        return ""
    frames = [(str(inner.f_globals.get("__name__", "?")), line, inner) for inner, line in traceback.walk_stack(frame)]
    innermost = frames[:MAX_STACK_DEPTH]
    return " > ".join(f"{module}:{line} {inner.f_code.co_name}" for module, line, inner in reversed(innermost))

"""Scheduler of the periodic jobs: aligned start times, counters and failure logs."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from monitor.state import Histogram, JobState
from monitor.system.clocks import ClockComparison
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger

log = get_logger(__name__)

BUCKET_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.5, 10.0)
"""Upper bounds of the histogram buckets in seconds."""

CLOSE_PATIENCE = 1.0
"""Seconds that `Scheduler.close` waits for running jobs."""


@dataclass(frozen=True)
class Job:
    """Function that is called periodically.

    Attributes:
        name: name in logs and metrics.
        interval: seconds between two calls, which are at multiples of the interval since the epoch.
        function: called without arguments; an exception counts as a failed run.
        executor: name of the thread pool: "sampler" or "default".
    """

    name: str
    interval: float
    function: Callable[[], None]
    executor: str = "default"


class AlignedTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no types
    """APScheduler trigger that fires at multiples of an interval since the epoch.

    APScheduler's own interval trigger iterates over all missed times after a clock step. This trigger computes the
    next time from the current time alone.
    """

    def __init__(self, interval: float) -> None:
        self.interval = interval

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:  # noqa: ARG002
        """Return the first multiple of the interval after `now`."""
        return datetime.fromtimestamp((now.timestamp() // self.interval + 1) * self.interval, UTC)


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


class JobMeter:
    """Thread-safe counters and histograms of one job."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs = 0
        self._failures = 0
        self._missed = 0
        self._duration = DurationHistogram()
        self._delay = DurationHistogram()

    def add_run(self, duration: float, delay: float, *, failed: bool) -> None:
        """Count a run that took `duration` seconds and started `delay` seconds after its scheduled time."""
        with self._lock:
            self._runs += 1
            self._failures += failed
            self._duration.add(duration)
            self._delay.add(delay)

    def add_missed(self) -> None:
        """Count a scheduled run that did not take place."""
        with self._lock:
            self._missed += 1

    def state(self) -> JobState:
        """Return a snapshot of the counters and histograms."""
        with self._lock:
            return JobState(
                runs=self._runs,
                failures=self._failures,
                missed=self._missed,
                duration=self._duration.snapshot(),
                delay=self._delay.snapshot(),
            )


class Scheduler:
    """Scheduler of periodic jobs; an exception from a job is logged and counted, and does not end its schedule.

    The executor "sampler" has one thread, reserved for the sampling cycle; the other jobs share two threads.
    """

    def __init__(self, jobs: Sequence[Job], clocks: ClockComparison | None = None) -> None:
        """Initialize the scheduler; no job runs before `start`.

        Args:
            jobs: jobs with distinct names.
            clocks: detector of clock steps and suspends; None for the system clocks.
        """
        self._jobs = tuple(jobs)
        self._meters = {job.name: JobMeter() for job in jobs}
        executors = {"sampler": ThreadPoolExecutor(1), "default": ThreadPoolExecutor(2)}
        self._scheduler: Any = BackgroundScheduler(timezone=UTC, executors=executors)
        self._scheduler.add_listener(self._count_missed, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        self._clocks = clocks or ClockComparison()

    def start(self) -> None:
        """Start the schedule: each job runs first at the next multiple of its interval since the epoch."""
        for job in self._jobs:
            self._scheduler.add_job(
                self._metered(job),
                AlignedTrigger(job.interval),
                id=job.name,
                executor=job.executor,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=max(1, int(job.interval)),
            )
        self._scheduler.start()

    def states(self) -> dict[str, JobState]:
        """Return a snapshot of the counters and histograms for each job name."""
        return {name: meter.state() for name, meter in self._meters.items()}

    def follow_clock(self) -> None:
        """Reschedule every job after a clock step or a suspend since the last call.

        Call this method every few seconds. APScheduler sleeps until a wall-clock time: a clock set back by a minute
        would stop all jobs for a minute.
        """
        change = self._clocks.update()
        if change.suspended:
            log.info("machine resumed", suspended_seconds=round(change.suspended, 3))
        if change.step:
            log.warning("clock step detected", step_seconds=round(change.step, 3))
        if change.step or change.suspended:
            for job in self._jobs:
                self._scheduler.reschedule_job(job.name, trigger=AlignedTrigger(job.interval))

    def close(self, patience: float = CLOSE_PATIENCE) -> bool:
        """Stop scheduling and wait at most `patience` seconds for running jobs; return False if a job still runs."""
        if not self._scheduler.running:
            return True
        shutdown = threading.Thread(target=self._scheduler.shutdown, daemon=True)
        shutdown.start()
        shutdown.join(patience)
        return not shutdown.is_alive()

    def _metered(self, job: Job) -> Callable[[], None]:
        """Return the function of a job, wrapped with its counters and failure log."""
        meter = self._meters[job.name]
        recurring = RecurringFailure(log, "job failed", "job recovered")

        def run() -> None:
            # Scheduled times are multiples of the interval, so the delay is the remainder.
            delay = time.time() % job.interval
            started = time.monotonic()
            failed = True
            try:
                job.function()
                failed = False
            except Exception as error:
                recurring.failure(exc_info=error, job=job.name)
            else:
                recurring.success(job=job.name)
            finally:
                meter.add_run(time.monotonic() - started, delay, failed=failed)

        return run

    def _count_missed(self, event: JobEvent) -> None:
        """Count a missed run, unless a clock step or a suspend since the last `follow_clock` explains it."""
        change = self._clocks.pending()
        if change.step or change.suspended:
            return
        self._meters[event.job_id].add_missed()

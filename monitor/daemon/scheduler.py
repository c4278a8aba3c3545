"""The scheduler's table of jobs: what runs when, and what came of it.

The one place that decides when. A job that raises is logged and counted here, and runs again at its next turn.
"""

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
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger

log = get_logger(__name__)

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.5, 10.0)
"""Upper bounds of the histograms in seconds."""


@dataclass(frozen=True)
class Job:
    """A function to call every `interval` seconds, on whole multiples of it since the epoch."""

    id: str
    interval: float
    function: Callable[[], None]
    executor: str = "default"


class AlignedTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no types
    """The next whole multiple of the interval.

    APScheduler's own interval trigger walks through every missed turn after the clock has jumped; this one looks
    only at the clock, so a jump of ten years costs what any turn costs.
    """

    def __init__(self, interval: float) -> None:
        self.interval = interval

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:  # noqa: ARG002
        """The first multiple after `now`."""
        return datetime.fromtimestamp((now.timestamp() // self.interval + 1) * self.interval, UTC)


class _Lengths:
    """Collects lengths of time into a histogram."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._counts = [0] * (len(BOUNDS) + 1)

    def add(self, seconds: float) -> None:
        self._seconds += seconds
        self._counts[bisect_left(BOUNDS, seconds)] += 1

    def histogram(self) -> Histogram:
        return Histogram(
            self._seconds, tuple(zip((*map(str, BOUNDS), "+Inf"), accumulate(self._counts), strict=True))
        )


class JobMeter:
    """Counts the runs of one job."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs = self._failures = self._missed = 0
        self._duration, self._delay = _Lengths(), _Lengths()

    def ran(self, duration: float, delay: float, *, failed: bool) -> None:
        """One run has ended; it took `duration` and began `delay` seconds after its turn."""
        with self._lock:
            self._runs += 1
            self._failures += failed
            self._duration.add(duration)
            self._delay.add(delay)

    def missed(self) -> None:
        """One turn did not happen."""
        with self._lock:
            self._missed += 1

    def state(self) -> JobState:
        """The counts by now."""
        with self._lock:
            histograms = self._duration.histogram(), self._delay.histogram()
            return JobState(self._runs, self._failures, self._missed, *histograms)


class Scheduler:
    """Runs the jobs until it is closed.

    The executor "sampler" has one thread for the one job that nothing else may hold up.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = tuple(jobs)
        self._meters = {job.id: JobMeter() for job in jobs}
        executors = {"sampler": ThreadPoolExecutor(1), "default": ThreadPoolExecutor(2)}
        self._scheduler: Any = BackgroundScheduler(timezone=UTC, executors=executors)
        self._scheduler.add_listener(self._on_missed, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        self._clock_offset = time.time() - time.monotonic()

    def start(self) -> None:
        """From now on each job runs at its next turn."""
        for job in self._jobs:
            self._scheduler.add_job(
                self._metered(job),
                AlignedTrigger(job.interval),
                id=job.id,
                executor=job.executor,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=max(1, int(job.interval)),
            )
        self._scheduler.start()

    def states(self) -> dict[str, JobState]:
        """The counts of each job."""
        return {name: meter.state() for name, meter in self._meters.items()}

    def follow_clock(self) -> None:
        """Called every few seconds: after the clock was set, plans every job anew.

        APScheduler sleeps until a time of day. A clock set back by a minute would leave it asleep for a minute.
        """
        offset = time.time() - time.monotonic()
        stepped = offset - self._clock_offset
        self._clock_offset = offset
        if abs(stepped) > 0.5:
            log.warning("clock step detected", step_seconds=round(stepped, 3))
            for job in self._jobs:
                self._scheduler.reschedule_job(job.id, trigger=AlignedTrigger(job.interval))

    def close(self, patience: float = 1.0) -> bool:
        """Lets the running jobs end; False if one does not within `patience` seconds."""
        if not self._scheduler.running:
            return True
        ending = threading.Thread(target=self._scheduler.shutdown, daemon=True)
        ending.start()
        ending.join(patience)
        return not ending.is_alive()

    def _metered(self, job: Job) -> Callable[[], None]:
        meter, outage = self._meters[job.id], RecurringFailure(log, "job failed", "job recovered")

        def run() -> None:
            # turns are whole multiples of the interval, so what is left over is how late this one is
            delay, started = time.time() % job.interval, time.monotonic()
            failed = True
            try:
                job.function()
                failed = False
            except Exception as error:
                outage.failure(job=job.id, exc_info=error)
            else:
                outage.success(job=job.id)
            finally:
                meter.ran(time.monotonic() - started, delay, failed=failed)

        return run

    def _on_missed(self, event: JobEvent) -> None:
        self._meters[event.job_id].missed()

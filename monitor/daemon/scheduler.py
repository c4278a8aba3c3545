"""Scheduler of the periodic jobs: aligned start times, clock changes, counters and hung jobs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from monitor.daemon.job_meter import JobMeter
from monitor.state import JobState
from monitor.system.clocks import ClockComparison
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger

log = get_logger(__name__)

CLOSE_PATIENCE = 1.0
"""Seconds that `Scheduler.close` waits for running jobs."""

DEADLINE = 300.0
"""Default deadline of a job in seconds."""

RESTART_DEADLINES = 5.0
"""Multiple of its deadline by which a job may be late before the process needs a restart."""

SAMPLER = "sampler"
"""Name of the executor whose only thread is reserved for the sampling cycle."""

NOTIFIER = "notifier"
"""Name of the executor whose only thread is reserved for the notifications: their receivers may be slow."""


@dataclass(frozen=True)
class Job:
    """Function that is called periodically.

    Attributes:
        name: name in logs and metrics.
        interval: seconds between two calls, which are at multiples of the interval since the epoch.
        function: called without arguments; an exception counts as a failed run.
        executor: name of the thread pool: SAMPLER, NOTIFIER or "default".
        offset: seconds by which the calls are later than the multiples of the interval.
        deadline: duration in seconds above which a run is hung.
        at_start: True for a further run as soon as the job is scheduled.
    """

    name: str
    interval: float
    function: Callable[[], None]
    executor: str = "default"
    offset: float = 0.0
    deadline: float = DEADLINE
    at_start: bool = False


class AlignedTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no types
    """APScheduler trigger that fires at multiples of an interval since the epoch, plus an offset.

    APScheduler's own interval trigger iterates over all missed times after a clock step. This trigger computes the
    next time from the current time alone.
    """

    def __init__(self, interval: float, offset: float = 0.0) -> None:
        self.interval = interval
        self.offset = offset

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:  # noqa: ARG002
        """Return the first time after `now` that is `offset` seconds after a multiple of the interval."""
        multiple = (now.timestamp() - self.offset) // self.interval + 1
        return datetime.fromtimestamp(multiple * self.interval + self.offset, UTC)


class ClockCheckingJobStore(MemoryJobStore):  # type: ignore[misc]  # APScheduler ships no types
    """APScheduler job store that calls a function each time before the scheduler looks for due jobs."""

    def __init__(self, before: Callable[[datetime], None]) -> None:
        super().__init__()
        self._before = before

    def get_due_jobs(self, now: datetime) -> list[Any]:
        """Return the jobs that are due at `now`."""
        self._before(now)
        due: list[Any] = super().get_due_jobs(now)
        return due


class Scheduler:
    """Scheduler of periodic jobs; an exception from a job is logged and counted, and does not end its schedule.

    The sampling cycle has a thread of its own. The other jobs share a pool with as many threads as jobs, started on
    demand: a job that hangs occupies its own thread only.
    """

    def __init__(self, jobs: Sequence[Job], clocks: ClockComparison | None = None) -> None:
        """Initialize the scheduler; no job runs before `start`.

        Args:
            jobs: jobs with distinct names.
            clocks: detector of clock steps and suspends; None for the system clocks.
        """
        self._jobs = tuple(jobs)
        self._meters = {job.name: JobMeter(job.interval, job.deadline) for job in jobs}
        self._hung: frozenset[str] = frozenset()
        self._clocks = clocks or ClockComparison()
        self._scheduler: Any = BackgroundScheduler(
            timezone=UTC,
            executors={
                SAMPLER: ThreadPoolExecutor(1),
                NOTIFIER: ThreadPoolExecutor(1),
                "default": ThreadPoolExecutor(max(1, len(jobs))),
            },
            jobstores={"default": ClockCheckingJobStore(self._follow_clock)},
        )
        self._scheduler.add_listener(self._count_missed, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)

    def start(self) -> None:
        """Start the schedule: each job runs first at its next aligned time."""
        for job in self._jobs:
            self._schedule(job)
        self._scheduler.start()

    def replace(self, jobs: Sequence[Job]) -> None:
        """Replace the jobs; unchanged jobs stay, and the counters of each name continue.

        A run in progress continues; the next run of this job starts after its end. A job with a new name is for the
        executor NOTIFIER, because the default one has a thread for each of the first jobs.
        """
        previous = set(self._jobs)
        removed = {job.name for job in previous} - {job.name for job in jobs}
        meters = {job.name: self._meters.get(job.name) or JobMeter(job.interval, job.deadline) for job in jobs}
        for name in removed:
            self._scheduler.remove_job(name)
        self._jobs = tuple(jobs)
        self._meters = meters
        for job in jobs:
            if job not in previous:
                self._schedule(job)

    def states(self) -> dict[str, JobState]:
        """Return a snapshot of the counters and histograms for each job name."""
        return {name: meter.state() for name, meter in self._meters.items()}

    @property
    def needs_restart(self) -> bool:
        """True if a job is late by more than RESTART_DEADLINES deadlines: only a new process can run it again."""
        return any(meter.overdue() > RESTART_DEADLINES for meter in self._meters.values())

    def check(self) -> None:
        """Log the jobs that hang or run again; call this every few seconds."""
        meters = self._meters
        hung = frozenset(name for name, meter in meters.items() if meter.overdue() > 1.0)
        for name in sorted(hung - self._hung):
            log.error("job hung", job=name, stack=meters[name].stack())
        for name in sorted(self._hung - hung):
            log.info("job hang ended", job=name)
        self._hung = hung
        if self._clocks.pending().step:
            # APScheduler computes its sleep from the wall clock, which may have been set at that moment.
            self._scheduler.wakeup()

    def close(self, patience: float = CLOSE_PATIENCE) -> bool:
        """Stop scheduling and wait at most `patience` seconds for running jobs; return False if a job still runs."""
        if not self._scheduler.running:
            return True
        shutdown = threading.Thread(target=self._scheduler.shutdown, daemon=True)
        try:
            shutdown.start()
        except RuntimeError:
            # The process has no resources for a thread, and therefore cannot wait with a time limit.
            self._scheduler.shutdown(wait=False)
            return False
        shutdown.join(patience)
        return not shutdown.is_alive()

    def _schedule(self, job: Job) -> None:
        self._meters[job.name].restart(job.interval, job.deadline)
        first = {"next_run_time": datetime.now(UTC)} if job.at_start else {}
        self._scheduler.add_job(
            self._metered(job),
            AlignedTrigger(job.interval, job.offset),
            id=job.name,
            executor=job.executor,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=max(1, int(job.interval)),
            replace_existing=True,
            **first,
        )

    def _follow_clock(self, now: datetime) -> None:
        """Reschedule every job after a clock step or a suspend since the last call; the sampling cycle runs at once.

        The scheduler wakes up when the next job is due by the monotonic clock, so that a step delays no sample.
        """
        change = self._clocks.update()
        if change.suspended:
            log.info("machine resumed", suspended_seconds=round(change.suspended, 3))
        if change.step:
            log.warning("clock step detected", step_seconds=round(change.step, 3))
        if change.step or change.suspended:
            for job in self._jobs:
                trigger = AlignedTrigger(job.interval, job.offset)
                due = now if job.executor == SAMPLER else trigger.get_next_fire_time(None, now)
                # A reload in another thread may be replacing the jobs.
                with suppress(JobLookupError):
                    self._scheduler.modify_job(job.name, next_run_time=due)

    def _metered(self, job: Job) -> Callable[[], None]:
        """Return the function of a job, wrapped with its meter and failure log."""
        meter = self._meters[job.name]
        recurring = RecurringFailure(log, "job failed", "job recovered")

        def run() -> None:
            # Scheduled times are multiples of the interval plus the offset, so the delay is the remainder.
            delay = (time.time() - job.offset) % job.interval
            meter.begin_run()
            failed = True
            try:
                job.function()
                failed = False
            except Exception as error:
                recurring.failure(exc_info=error, job=job.name)
            else:
                recurring.success(job=job.name)
            finally:
                meter.end_run(delay, failed=failed)

        return run

    def _count_missed(self, event: JobEvent) -> None:
        """Count a missed run, unless a clock step or a suspend that is not processed yet explains it."""
        change = self._clocks.pending()
        if change.step or change.suspended:
            return
        meter = self._meters.get(event.job_id)
        if meter is not None:
            meter.add_missed()

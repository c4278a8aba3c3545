"""Sampling core: sampler, write buffer, storage writer and scheduler, which outlive a reload."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from monitor.config.loader import Config
from monitor.daemon.scheduler import SAMPLER, Job, Scheduler
from monitor.daemon.state import StateHolder
from monitor.daemon.storage import DaemonStorage, raise_fatal
from monitor.daemon.wiring import Services
from monitor.jobs.sampling_cycle import SamplingCycleJob
from monitor.jobs.warning_log import WarningLog
from monitor.queries.overview import max_sample_age
from monitor.sampling.sampler import Sampler
from monitor.sampling.storage_state import StorageState
from monitor.sampling.storage_writer import StorageWriter
from monitor.sampling.write_buffer import WriteBuffer
from storage import Prediction, StorageError

OPEN_PATIENCE = 1.0
"""Longest time in seconds to wait at a start for the database, while sampling has begun; then the port opens."""

SCHEDULE_SECONDS = 0.05
"""Time in seconds before the first sample at which the schedule starts at the latest."""

WRITE_PATIENCE = 5.0
"""Longest time in seconds to wait at a stop for the write of the last samples."""


class SamplingCore:
    """Objects that live as long as the process: their counters and the waiting samples survive a reload.

    Attributes:
        scheduler: runs all jobs.
        writer: stores samples and predictions.
    """

    def __init__(self, config: Config, storage: DaemonStorage, services: Services, holder: StateHolder) -> None:
        """Build the objects; `start` starts them."""
        interval = config.sampling.interval
        self._interval = interval
        self._storage = storage
        self._process_recorder = services.process_recorder
        self._buffer = WriteBuffer(storage.stores.cycles, self._ensure_open)
        self._sampler = Sampler(services.sources, interval)
        self.writer = StorageWriter(self._buffer, interval, services.before_sample)
        self._cycle = SamplingCycleJob(
            sampler=self._sampler,
            served=services.served,
            buffer=self._buffer,
            wake_writer=self.writer.wake,
            observers=(holder.publish_live, WarningLog(self._record_processes).observe),
        )
        self.scheduler = Scheduler(self._jobs(config, services))
        holder.read_jobs_from(self.scheduler.states, lambda: self.scheduler.needs_restart)
        holder.read_storage_from(self._storage_state)

    def start(self) -> None:
        """Start the storage writer, which opens the database, and all jobs; the database may still be unavailable.

        The first sample is due at a multiple of the interval. Until then, the model of the database is awaited.

        Raises:
            MonitorError: another daemon uses the database.
            StorageError: the database belongs to another program or a newer release.
        """
        self.writer.start()
        until_sample = self._interval - time.time() % self._interval
        self.writer.wait_started(min(OPEN_PATIENCE, max(0.0, until_sample - SCHEDULE_SECONDS)))
        raise_fatal(self.fatal_error)
        self.scheduler.start()
        self.writer.wait_started(OPEN_PATIENCE)
        raise_fatal(self.fatal_error)

    @property
    def fatal_error(self) -> StorageError | None:
        """Error of the opening that only a person can remove, if the database has never been open."""
        return self.writer.refusal

    def close(self) -> bool:
        """Stop the jobs, and store or spool the waiting samples; return False if a job or a write does not stop."""
        stopped = self.scheduler.close()
        stopped &= self.writer.close(WRITE_PATIENCE)
        if self.fatal_error is None:
            self._storage.spool(self._buffer.waiting())
        return stopped

    def use(self, config: Config, storage: DaemonStorage, services: Services) -> None:
        """Continue with another configuration: a run in progress continues, and no sample is missed."""
        interval = config.sampling.interval
        self._storage = storage
        self._process_recorder = services.process_recorder
        self._buffer.use(storage.stores.cycles, self._ensure_open)
        self.writer.use(interval, services.before_sample)
        self._sampler.use(services.sources, interval)
        self._cycle.use(services.served)
        self.scheduler.replace(self._jobs(config, services))

    def _record_processes(self, started: Sequence[Prediction]) -> None:
        self._process_recorder.warnings_started(started)

    def _ensure_open(self) -> None:
        try:
            self._storage.ensure_open(self._buffer.recently_stored)
        except StorageError:
            self._storage.save(self._buffer.waiting())
            raise

    def _storage_state(self) -> StorageState:
        return replace(self._buffer.state(), quarantines=self._storage.quarantines)

    def _jobs(self, config: Config, services: Services) -> tuple[Job, ...]:
        interval = config.sampling.interval
        cycle = Job("sampling_cycle", interval, self._cycle.run, SAMPLER, deadline=max_sample_age(interval))
        return cycle, *services.jobs

"""Sampling core: sampler, write buffer, storage writer and scheduler, which outlive a reload."""

from __future__ import annotations

from monitor.config.loader import Config
from monitor.daemon.scheduler import SAMPLER, Job, Scheduler
from monitor.daemon.state import StateHolder
from monitor.daemon.wiring import Services
from monitor.jobs.sampling_cycle import SamplingCycleJob
from monitor.queries.overview import max_sample_age
from monitor.sampling.sampler import Sampler
from monitor.sampling.storage_writer import StorageWriter
from monitor.sampling.write_buffer import WriteBuffer
from monitor.stores import Stores


class SamplingCore:
    """Objects that live as long as the process: their counters and the waiting samples survive a reload.

    Attributes:
        scheduler: runs all jobs.
        writer: stores samples and predictions.
    """

    def __init__(self, config: Config, stores: Stores, services: Services, holder: StateHolder) -> None:
        """Build the objects; `start` starts them."""
        interval = config.sampling.interval
        self._buffer = WriteBuffer(stores.cycles, interval)
        self._sampler = Sampler(services.sources, interval)
        self.writer = StorageWriter(self._buffer, interval, services.before_sample)
        self._cycle = SamplingCycleJob(
            sampler=self._sampler,
            served=services.served,
            buffer=self._buffer,
            wake_writer=self.writer.wake,
            observers=(holder.publish_live,),
        )
        self.scheduler = Scheduler(self._jobs(config, services))
        holder.read_jobs_from(self.scheduler.states, lambda: self.scheduler.needs_restart)
        holder.read_storage_from(self._buffer.state)

    def start(self) -> None:
        """Start the storage writer and all jobs."""
        self.writer.start()
        self.scheduler.start()

    def use(self, config: Config, stores: Stores, services: Services) -> None:
        """Continue with another configuration: a run in progress continues, and no sample is missed."""
        interval = config.sampling.interval
        self._buffer.use(stores.cycles, interval)
        self.writer.use(interval, services.before_sample)
        self._sampler.use(services.sources, interval)
        self._cycle.use(services.served)
        self.scheduler.replace(self._jobs(config, services))

    def _jobs(self, config: Config, services: Services) -> tuple[Job, ...]:
        interval = config.sampling.interval
        cycle = Job("sampling_cycle", interval, self._cycle.run, SAMPLER, deadline=max_sample_age(interval))
        return cycle, *services.jobs

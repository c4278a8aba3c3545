"""Stepped daemon: cycle and jobs without threads, on a given clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monitor.config.loader import Config
from monitor.daemon.object_cache import ObjectCache
from monitor.daemon.sd_notify import from_environment
from monitor.daemon.state import ReloadState, StateHolder
from monitor.daemon.storage import DaemonStorage
from monitor.daemon.wiring import build_services
from monitor.jobs.retraining import Trainer
from monitor.jobs.sampling_cycle import SamplingCycleJob
from monitor.sampling.sampler import Sampler
from monitor.sampling.sources import Source
from monitor.sampling.write_buffer import WriteBuffer
from monitor.state import LiveState


class SteppedDaemon:
    """Sampling cycle, storage writer and jobs without threads, for accelerated time.

    Attributes:
        holder: state of the daemon.
    """

    def __init__(
        self,
        config: Config,
        storage: DaemonStorage,
        sources: Sequence[Source],
        clock: Callable[[], float],
        observers: Sequence[Callable[[LiveState], None]] = (),
    ) -> None:
        """Build the objects of the daemon.

        Args:
            config: configuration.
            storage: open database.
            sources: sources of the samples, in place of those of the configuration.
            clock: returns the current time in seconds since the epoch; also used as monotonic clock.
            observers: called with the live state after each step.
        """
        interval = config.sampling.interval
        self.holder = StateHolder(config, from_environment(), ReloadState(successful=True, at=clock()))
        self.holder.monotonic = clock
        self._services = build_services(config, storage, self.holder, Trainer(), ObjectCache(), clock)
        self.holder.records = self._services.records
        self._clock = clock
        self._buffer = WriteBuffer(storage.stores.cycles)
        self._cycle = SamplingCycleJob(
            sampler=Sampler(sources, interval, clock=clock, monotonic=clock),
            served=self._services.served,
            buffer=self._buffer,
            wake_writer=lambda _: None,
            observers=(self.holder.publish_live, *observers),
        )
        self._due: dict[str, float] = {}

    def sample(self) -> None:
        """Take a sample and predict; both wait to be stored."""
        self._services.before_sample()
        self._cycle.run()

    def store(self) -> None:
        """Store the waiting samples and predictions."""
        self._buffer.write()

    def run_due_jobs(self, without: Sequence[str] = ()) -> None:
        """Run each job whose interval has passed since its last run.

        Args:
            without: names of jobs that do not run.
        """
        now = self._clock()
        for job in self._services.jobs:
            if job.name not in without and now >= self._due.get(job.name, 0.0):
                self._due[job.name] = now + job.interval
                job.function()

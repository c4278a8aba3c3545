"""Fleet cycle: one sample of all hosts per step; missed steps are filled later."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from model.units import DAY
from monitor.errors import SourceError
from monitor.fleet.interfaces import FleetSample, HostSource
from monitor.fleet.process.history_loader import MAX_ATTEMPTS, HistoryLoader
from monitor.fleet.process.history_parts import samples_of
from monitor.fleet.process.members import Members
from monitor.fleet.process.state import CycleState
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger

log = get_logger(__name__)

HISTORY = DAY
"""Seconds of history that are read for a new host."""

LOADING_SHARE = 0.7
"""Part of a step after whose end no further histories are read; the next step comes first."""

MAX_FILLED_STEPS = 240
"""Largest number of missed steps that are filled; after more, the histories of all hosts are read again."""

FILLED_CELLS = 100_000
"""Largest number of samples (hosts times steps) that are read at once to fill missed steps."""


@dataclass(frozen=True)
class CycleSettings:
    """Settings of the cycle in seconds.

    Attributes:
        step: interval between samples.
        delay: time to wait after the end of each step.
        expire_after: time without samples after which a host is no longer followed.
        history: history that is read for a new host.
    """

    step: float
    delay: float
    expire_after: float
    history: float = HISTORY

    def step_at(self, now: float) -> float:
        """Return the newest step that the source should have at `now`; both in seconds since the epoch."""
        return (now - self.delay) // self.step * self.step


class FleetCycle:
    """Cycle of a fleet. `run` is for one thread.

    A failure of the source ends a run, and the next one tries again: nothing but the state shows it.
    """

    def __init__(
        self,
        source: HostSource,
        members: Members,
        settings: CycleSettings,
        publish: Callable[[CycleState], None],
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Initialize the cycle; the first run finds the hosts.

        Args:
            source: source of the samples.
            members: followed hosts.
            settings: settings of the cycle.
            publish: receives the state at the end of each run.
            clock: returns the current time in seconds since the epoch.
            monotonic: monotonic clock; returns seconds.
        """
        self._source = source
        self._members = members
        self._settings = settings
        self._publish = publish
        self._clock = clock
        self._monotonic = monotonic
        self._loader = HistoryLoader(source, members, settings.history)
        self._newest: float | None = None
        self._fill_attempts = 0
        self._state = CycleState()
        self._failure = RecurringFailure(log, "fleet source failed", "fleet source recovered")

    def run(self) -> None:
        """Read the samples of the newest step, and predict.

        1. Read the step. If the source fails, the step counts as missed.
        2. Fill the steps that were missed since the last one.
        3. Predict for the followed hosts. At a start, there are none, and the histories come first.
        4. Read the histories of new hosts, part by part, until shortly before the next step, which predicts for them.
        5. Forget the hosts that have expired.
        """
        started = self._monotonic()
        at = self._settings.step_at(self._clock())
        if self._newest is None or at > self._newest:
            sample = self._read(at)
            if sample is not None and self._filled(at):
                self._predict(sample)
            self._count_cycle(started, at)
        self._publish_state()
        if self._loader.waiting and self._newest is not None:
            self._load(self._newest + self._settings.step)

    def _predict(self, sample: FleetSample) -> None:
        self._newest = sample.time
        self._loader.queue_new(sample)
        if not self._members.followed:
            self._publish_state()
            self._load(sample.time)
        self._members.advance(sample)
        expired = self._members.expire(sample.time - self._settings.expire_after)
        if expired:
            log.info("hosts expired", hosts=len(expired), first=expired[0])

    def _count_cycle(self, started: float, at: float) -> None:
        self._state = replace(
            self._state,
            cycles=self._state.cycles + 1,
            cycle_seconds=self._monotonic() - started,
            newest=self._newest,
            tried=at,
        )

    def _load(self, until: float) -> None:
        """Read histories before a time (seconds since the epoch), until shortly before the next step."""
        end = self._monotonic() + self._loading_seconds()
        while self._loader.waiting:
            loaded = self._loader.load_part(until)
            if not loaded:
                self._state = replace(self._state, source_errors=self._state.source_errors + 1)
            self._publish_state()
            if not loaded or self._monotonic() >= end:
                break

    def _loading_seconds(self) -> float:
        """Return the seconds for which histories may be read before the next step."""
        since_step = (self._clock() - self._settings.delay) % self._settings.step
        return max(0.0, LOADING_SHARE * self._settings.step - since_step)

    def _read(self, at: float) -> FleetSample | None:
        """Return the samples of a step; None if the source fails."""
        try:
            sample = self._source.read(at)
        except SourceError as error:
            self._failed(error)
            return None
        self._failure.success()
        self._state = replace(
            self._state,
            reads=self._state.reads + 1,
            source_error=None,
            failing_since=None,
            succeeded_at=self._clock(),
        )
        return sample

    def _failed(self, error: SourceError) -> None:
        since = self._state.failing_since
        self._failure.failure(error=error)
        self._state = replace(
            self._state,
            source_errors=self._state.source_errors + 1,
            source_error=str(error),
            failing_since=self._clock() if since is None else since,
        )

    def _filled(self, at: float) -> bool:
        """Fill the steps before `at` that were missed; return False to try again with the next step."""
        step = self._settings.step
        if self._newest is None or at - self._newest <= step * 1.5:
            return True
        first = self._newest + step
        missed = round((at - first) / step)
        hosts = sorted(self._members.followed)
        if missed > MAX_FILLED_STEPS:
            log.info("histories read again", missed_steps=missed, hosts=len(hosts))
            self._members.restart()
            return True
        try:
            self._fill(hosts, first, at)
        except SourceError as error:
            self._failed(error)
            self._fill_attempts += 1
            if self._fill_attempts < MAX_ATTEMPTS:
                return False
            log.warning("missed steps given up", steps=missed)
            self._state = replace(self._state, lost_steps=self._state.lost_steps + missed)
        else:
            log.info("missed steps filled", steps=missed, hosts=len(hosts))
            self._state = replace(self._state, filled_steps=self._state.filled_steps + missed)
        self._fill_attempts = 0
        return True

    def _fill(self, hosts: list[str], first: float, end: float) -> None:
        """Append the samples of the steps from `first` to before `end`, in bounded parts.

        Raises:
            SourceError: the source gives no usable answer; the steps before are appended.
        """
        step = self._settings.step
        length = step * max(1, FILLED_CELLS // max(1, len(hosts)))
        while first < end:
            until = min(end, first + length)
            for sample in samples_of(list(self._source.history(hosts, first, until))):
                self._members.advance(sample, live=False)
            self._newest = until - step
            first = until

    def _publish_state(self) -> None:
        self._state = replace(self._state, pending_hosts=self._loader.waiting)
        self._publish(self._state)

"""Sampler: one sample from the readings of all sources.

Each source is read separately, and rates use the monotonic clock. A failing source or a suspend therefore yields
missing values instead of wrong values, and a clock step has no effect on rates.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from model.features.spacing import GAP_FACTOR
from model.units import HOUR
from monitor.sampling.sources import Source, Values
from monitor.sampling.value_bounds import validated_value
from monitor.system.clocks import ClockComparison, boot_time
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger
from storage import Sample

log = get_logger(__name__)

MILLISECONDS = 1000
"""Milliseconds in a second: the resolution of sample times at sampling intervals below a second."""

MAX_ERROR_LENGTH = 200
"""Longest error message that is logged, in characters: an error may quote a whole malformed file."""


class NoValuesError(Exception):
    """Raised if a source yields no plausible value, unless all values are missing for an expected reason."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """Result of the last reading of a source.

    Attributes:
        success: True if the source yielded a valid value, or if all values are missing for an expected reason: the
            source is optional, or has no recent earlier reading to compute a rate from.
        duration: seconds that the reading took.
        error: error message; empty on success.
        failures: number of failed readings since the start, those without a plausible value included.
    """

    success: bool
    duration: float
    error: str
    failures: int = 0


class Sampler:
    """Sampler that reads all sources for each sample, and counts missed sampling intervals. For use by one thread.

    Attributes:
        samples_total: number of samples taken.
        samples_missed_total: number of sampling intervals without a sample.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        interval: float,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        boot: Callable[[], float] | None = None,
    ) -> None:
        """Initialize a sampler without readings.

        Args:
            sources: sources, in the order in which they are read.
            interval: sampling interval in seconds.
            clock: returns seconds since the epoch.
            monotonic: monotonic clock that stops during a suspend; returns seconds.
            boot: monotonic clock that also advances during a suspend; returns seconds. None: `boot_time` if
                `monotonic` is the default, otherwise `monotonic` (no suspend is detected).
        """
        self._sources = tuple(sources)
        self._interval = interval
        self._next = self._sources, interval
        self._clock = clock
        self._monotonic = monotonic
        if boot is None:
            boot = boot_time if monotonic is time.monotonic else monotonic
        self._clocks = ClockComparison(wall=boot, monotonic=monotonic, boot=boot)
        self._read_at: dict[str, float] = {}
        self._states: dict[str, SourceState] = {}
        self._failures = {source.name: self._recurring_failure() for source in sources}
        self._sampled_at: float | None = None
        self.samples_total = 0
        self.samples_missed_total = 0

    def use(self, sources: Sequence[Source], interval: float) -> None:
        """Read other sources at another interval from the next sample on. Safe to call from any thread.

        The counters continue. A source that stays the same object keeps its previous reading, so that its rates have
        no gap.
        """
        self._next = tuple(sources), interval

    @property
    def states(self) -> Mapping[str, SourceState]:
        """Return the result of the last reading for each source name; sources without a reading are left out."""
        return MappingProxyType(dict(self._states))

    def sample(self) -> Sample:
        """Read every source once and return the sample.

        An exception raised by a source does not propagate: all values of the source are missing, and `states`
        contains the error.
        """
        self._count(self._monotonic())
        self._apply_next()
        # A suspend is a gap: no rate spans it.
        max_age = 0.0 if self._clocks.update().suspended else GAP_FACTOR * self._interval
        # Whole seconds take less space on disk; shorter intervals, as in a soak test, need distinct times.
        ticks = 1 if self._interval >= 1 else MILLISECONDS
        at = math.floor(self._clock() * ticks) / ticks
        values: Values = {}
        for source in self._sources:
            values |= self._measure(source, max_age)
        return Sample(at, **values)

    def _apply_next(self) -> None:
        """Apply the sources and the interval of the last call of `use`."""
        sources, interval = self._next
        self._interval = interval
        if sources is self._sources:
            return
        self._sources = sources
        names = {source.name for source in sources}
        self._states = {name: state for name, state in self._states.items() if name in names}
        self._failures = {name: self._failures.get(name) or self._recurring_failure() for name in names}

    def _count(self, now: float) -> None:
        if self._sampled_at is not None:
            # The first sample after a change of the interval may be due by either one.
            intervals = round((now - self._sampled_at) / max(self._interval, self._next[1]))
            self.samples_missed_total += max(0, intervals - 1)
        self._sampled_at = now
        self.samples_total += 1

    def _measure(self, source: Source, max_age: float) -> Values:
        """Return the values of one source, and store the result of the reading in `states`; no exception propagates.

        Args:
            source: source to read.
            max_age: largest age in seconds of an earlier reading that a rate may start from.

        Returns:
            The value of each field; None for a missing value, and for all fields if the source fails.
        """
        started = self._monotonic()
        former = self._states.get(source.name)
        failures = former.failures if former else 0
        try:
            values = self._values(source, started, max_age)
        except Exception as error:
            message = f"{type(error).__name__}: {error}"[:MAX_ERROR_LENGTH]
            duration = self._monotonic() - started
            self._states[source.name] = SourceState(False, duration, message, failures + 1)
            self._failures[source.name].failure(source=source.name, error=message)
            return dict.fromkeys(source.fields)
        self._states[source.name] = SourceState(True, self._monotonic() - started, "", failures)
        self._failures[source.name].success(source=source.name)
        return values

    def _values(self, source: Source, now: float, max_age: float) -> Values:
        """Read a source and return its value for each field; a value outside its bounds is missing.

        Args:
            source: source to read.
            now: seconds of the monotonic clock.
            max_age: largest age in seconds of an earlier reading that a rate may start from.

        Raises:
            NoValuesError: no value is valid, and at least one is outside its bounds; or all are missing, although
                the source is not optional and has an earlier reading within `max_age`.
        """
        computed = source.compute(source.read(), now, max_age)
        values = {field: validated_value(field, computed[field]) for field in source.fields}
        has_reference = 0 < now - self._read_at.get(source.name, -math.inf) <= max_age
        self._read_at[source.name] = now
        if any(value is not None for value in values.values()):
            return values
        implausible = [f"{field} {value:.4g}" for field, value in computed.items() if value is not None]
        if implausible:
            raise NoValuesError(f"no plausible value: {', '.join(implausible)}")
        if has_reference and not source.optional:
            raise NoValuesError("no plausible value")
        return values

    def _recurring_failure(self) -> RecurringFailure:
        return RecurringFailure(
            log,
            "source failed",
            "source recovered",
            level=logging.WARNING,
            repeat_seconds=HOUR,
            monotonic=self._monotonic,
        )

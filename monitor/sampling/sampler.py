"""Sampler: turns two consecutive readings of every source into a sample.

Sources are read independently, and rates use the monotonic clock. A failing source or an adjusted clock therefore
yields missing values, never wrong ones.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from monitor.sampling.sources import Source, Values
from monitor.sampling.value_bounds import validated_value
from monitor.system.logging import get_logger
from storage import Sample

log = get_logger(__name__)

GAP_FACTOR = 2.5
"""Longest time between two readings for a rate, in sampling intervals."""

MAX_ERROR_LENGTH = 200
"""Longest error message that is logged, in characters: one that quotes a malformed file would flood the log."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """Result of the last reading of a source.

    Attributes:
        success: True if the source was read and its values were computed.
        duration: seconds that the reading took.
        error: message of the failure; empty on success.
    """

    success: bool
    duration: float
    error: str


class Sampler:
    """Reads all sources and keeps the previous reading of each. For use by one thread.

    Attributes:
        samples_total: samples taken.
        samples_missed_total: samples that were due and not taken.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        interval: float,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Initialize a sampler without readings.

        Args:
            sources: the sources to read.
            interval: sampling interval in seconds.
            clock: returns seconds since the epoch.
            monotonic: returns seconds of a clock that never goes back.
        """
        self._sources = tuple(sources)
        self._interval = interval
        self._clock = clock
        self._monotonic = monotonic
        self._readings: dict[str, tuple[float, Any]] = {}
        self._states: dict[str, SourceState] = {}
        self._sampled_at: float | None = None
        self.samples_total = 0
        self.samples_missed_total = 0

    @property
    def states(self) -> Mapping[str, SourceState]:
        """Return the state of each source by name."""
        return MappingProxyType(dict(self._states))

    def sample(self) -> Sample:
        """Read every source once and return the sample.

        Exceptions of sources do not propagate: the values are missing, and `states` contains the error.
        """
        self._count(self._monotonic())
        # Whole seconds: an interval is at least one second, and a regular grid is compact and readable.
        at = float(math.floor(self._clock()))
        values: Values = {}
        for source in self._sources:
            values |= self._measure(source)
        return Sample(at, **values)

    def _count(self, now: float) -> None:
        if self._sampled_at is not None:
            intervals = round((now - self._sampled_at) / self._interval)
            self.samples_missed_total += max(0, intervals - 1)
        self._sampled_at = now
        self.samples_total += 1

    def _measure(self, source: Source) -> Values:
        """Return the values of one source, all missing after a failure, and update its state."""
        started = self._monotonic()
        try:
            values = self._compute(source, started)
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            self._update_state(source.name, started, message[:MAX_ERROR_LENGTH])
            return dict.fromkeys(source.fields)
        self._update_state(source.name, started, "")
        return values

    def _compute(self, source: Source, now: float) -> Values:
        current = source.read()
        # Removed, not looked up: after a failure below, the next cycle starts without a previous reading.
        previous_at, previous = self._readings.pop(source.name, (-math.inf, None))
        seconds = now - previous_at
        # The first reading, and the first one after a gap, have no previous one to compare with.
        recent = 0 < seconds <= GAP_FACTOR * self._interval
        values = source.compute(previous if recent else None, current, seconds)
        validated = {field: validated_value(field, values[field]) for field in source.fields}
        self._readings[source.name] = (now, current)
        return validated

    def _update_state(self, name: str, started: float, error: str) -> None:
        previous = self._states.get(name)
        self._states[name] = SourceState(success=not error, duration=self._monotonic() - started, error=error)
        if error and (previous is None or previous.success):
            log.warning("source failed", source=name, error=error)
        elif not error and previous is not None and not previous.success:
            log.info("source recovered", source=name)

"""Two raw readings to one sample.

Each source is tried alone, and rates are over the monotonic clock: neither a source that fails nor a clock that is
set makes a wrong number, only a missing one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from monitor.sampling.sources import RATIO_FIELDS, Rates, Source
from monitor.system.logging import get_logger
from storage import Sample

log = get_logger(__name__)

GAP_FACTOR = 2.5
"""A reading further back than this many intervals is another time: no rate is made across it."""

ROUNDING = 1e-6
"""How far beyond 0 or 1 a ratio may lie by rounding alone."""

ERROR_LENGTH = 200
"""Characters kept of an error: one that quotes a broken file would fill the log with it."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source did in the last turn; `duration` in seconds, `error` empty on success."""

    success: bool
    duration: float
    error: str


class Sampler:
    """Holds the previous reading of each source. For one thread."""

    def __init__(
        self,
        sources: Sequence[Source],
        interval: float,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """A sampler.

        Args:
            sources: what is read.
            interval: seconds between two samples.
            clock: seconds since the epoch.
            monotonic: seconds that only grow.
        """
        self._sources, self._interval = tuple(sources), interval
        self._clock, self._monotonic = clock, monotonic
        self._readings: dict[str, tuple[float, Any]] = {}
        self._states: dict[str, SourceState] = {}
        self._last: float | None = None
        self.samples_total = 0
        self.samples_missed_total = 0

    @property
    def states(self) -> Mapping[str, SourceState]:
        """How each source did in the last turn, by its name."""
        return MappingProxyType(dict(self._states))

    def sample(self) -> Sample:
        """Reads every source once. Raises nothing of theirs: what failed is missing, and `states` says why."""
        now = self._monotonic()
        self._count(now)
        # Whole seconds: an interval is at least one, and one grid for all is compact and easy to read.
        at = float(math.floor(self._clock()))
        values: Rates = {}
        for source in self._sources:
            values |= self._try(source)
        return Sample(at, **values)

    def _count(self, now: float) -> None:
        if self._last is not None:
            self.samples_missed_total += max(0, round((now - self._last) / self._interval) - 1)
        self._last = now
        self.samples_total += 1

    def _try(self, source: Source) -> Rates:
        started = self._monotonic()
        try:
            values = self._rates(source, started)
        except Exception as error:
            self._note(source.name, started, f"{type(error).__name__}: {error}"[:ERROR_LENGTH])
            return dict.fromkeys(source.fields)
        self._note(source.name, started, "")
        return values

    def _rates(self, source: Source, now: float) -> Rates:
        after = source.read()
        # Taken out, not looked up: if no rates can be made of a reading, the next turn starts without it.
        before_at, before = self._readings.pop(source.name, (-math.inf, None))
        seconds = now - before_at
        # The first reading, and the first after a gap, have nothing to be compared with.
        fresh = 0 < seconds <= GAP_FACTOR * self._interval
        values = source.rates(before if fresh else None, after, seconds)
        checked = {name: validated_value(name, values[name]) for name in source.fields}
        self._readings[source.name] = (now, after)
        return checked

    def _note(self, name: str, started: float, error: str) -> None:
        before = self._states.get(name)
        self._states[name] = SourceState(not error, self._monotonic() - started, error)
        if error and (before is None or before.success):
            log.warning("source failed", source=name, error=error)
        elif not error and before is not None and not before.success:
            log.info("source recovered", source=name)


def validated_value(name: str, value: float | None) -> float | None:
    """The value, or None for one that cannot be: not finite, negative, a ratio above 1."""
    if value is None or not math.isfinite(value) or value < -ROUNDING:
        return None
    if name in RATIO_FIELDS and value > 1:
        return 1.0 if value <= 1 + ROUNDING else None
    return max(value, 0.0)

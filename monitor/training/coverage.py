"""Coverage of the stored history: seconds of samples that a training run could use."""

from __future__ import annotations

from dataclasses import dataclass

from model.units import DAY, HOUR, MINUTE
from monitor.config.loader import Config
from monitor.stores import Stores

MAX_STALENESS = 0.01
"""Largest age of a measurement, as a fraction of the measured coverage."""

MAX_AGE = HOUR
"""Largest age of a measurement in seconds; to measure 90 days of samples at 5 s takes 0.02 s of CPU."""

THINNED_SPACING = MINUTE
"""Spacing in seconds of the sample times read from a long history; shorter gaps count as covered.

So do gaps within a compressed hour: the training run itself reads the times of all samples.
"""

EXACT_COVERAGE = 4 * DAY
"""Coverage in seconds up to which the times of all samples are read."""


@dataclass(frozen=True)
class _Measurement:
    """Result of one coverage measurement.

    Attributes:
        at: time of the measurement in seconds since the epoch.
        oldest_at: time of the oldest sample in seconds since the epoch.
        seconds: covered seconds.
    """

    at: float
    oldest_at: float
    seconds: float


class HistoryCoverage:
    """Cached measurement of the time that the stored history covers; renewed when it is outdated."""

    def __init__(self, stores: Stores, config: Config) -> None:
        """Initialize without a measurement; the first call of `seconds` measures.

        Args:
            stores: repositories.
            config: sampling interval and length of the training history.
        """
        self._stores = stores
        self._interval = config.sampling.interval
        self._history = config.training.history
        self._measured: _Measurement | None = None

    def seconds(self, now: float, needed: float) -> float:
        """Return the seconds covered by the stored samples that a training run would use.

        Args:
            now: seconds since the epoch.
            needed: seconds of history that a training run needs; a cached measurement is renewed if the coverage can
                have reached this length since the measurement.

        Raises:
            StorageError: the samples cannot be read.
        """
        oldest_at = self._stores.samples.oldest_at()
        if oldest_at is None:
            return 0.0
        if self._measured is None or not _is_current(self._measured, now, oldest_at, needed):
            self._measured = _Measurement(now, oldest_at, self._measure(now - self._history, now))
        return self._measured.seconds

    def _measure(self, since: float, until: float) -> float:
        """Return the seconds covered by the samples from `since` to `until`.

        The spacing is estimated from the sample times, because imported samples may not match the sampling interval.
        """
        # Imported late: the daemon's first state does without it, and the import is expensive.
        from model.features.dataset import covered_seconds, typical_step  # noqa: PLC0415

        times = self._stores.samples.spread_times(since, until, THINNED_SPACING)
        if covered_seconds(times, typical_step(times, self._interval)) <= EXACT_COVERAGE:
            times = self._stores.samples.between(since, until, ())[:, 0]
        return covered_seconds(times, typical_step(times, self._interval))


def _is_current(measured: _Measurement, now: float, oldest_at: float, needed: float) -> bool:
    """Return True if a measurement is still valid.

    - Its age is within MAX_STALENESS and MAX_AGE.
    - The oldest sample is unchanged; an import, for example, changes it.
    - The coverage had reached `needed` seconds, or cannot have reached it since.
    """
    age = now - measured.at
    recent = 0 <= age <= min(MAX_STALENESS * measured.seconds, MAX_AGE)
    is_unchanged = measured.oldest_at == oldest_at
    return recent and is_unchanged and (measured.seconds >= needed or measured.seconds + age < needed)

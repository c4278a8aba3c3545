"""Host features: load-index features of many hosts, advanced by one sample of each host."""

from __future__ import annotations

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.features import load_states as columns
from model.features.design_matrix import MAX_PHASE, MIN_COVERAGE
from model.features.feature_spec import FeatureSpec
from model.features.hosts.bucket_ring import BucketRing
from model.features.hosts.load_states import HostStates
from model.features.hosts.sample_ring import SampleRing
from model.features.rolling_window import FIXED_POINT, RollingWindow
from model.features.seasonal import load_columns
from model.features.time_buckets import bucket_width
from model.units import MINUTE


class HostFeatures:
    """Features of hosts whose samples are one step apart, on a common grid of slots; a host may lack samples.

    A feature is bit-identical to that of `design_matrix` for the samples of its host. The specification has seasonal
    features and no inputs: the features are those of the load index.

    Attributes:
        spec: feature specification.
        load_index: (hosts,) load index of the newest slot, NaN if unknown.
        ring: running sums and load states of the last slots.
    """

    def __init__(self, spec: FeatureSpec, hosts: int) -> None:
        """Create the features of hosts without samples.

        Args:
            spec: feature specification.
            hosts: number of hosts.

        Raises:
            ValueError: the specification has inputs or no seasonal features.
        """
        width = bucket_width(spec.step)
        if spec.inputs or not spec.seasonal or width is None:
            raise ValueError("features of many hosts need a specification with seasonal features and no inputs")
        self.spec = spec
        self.load_index = np.full(hosts, np.nan)
        self.ring = SampleRing(hosts, spec.step, spec.windows, spec.load_limit, max(spec.horizons))
        self._states = HostStates(hosts, spec.step, spec.rules.sustained)
        self._buckets = BucketRing(hosts, width, spec.step, spec.load_limit)
        self._seasonal: Floats | None = None

    @property
    def newest(self) -> Floats:
        """(hosts,) time of the newest sample in seconds since the epoch; -inf if there is none."""
        return self._states.newest

    @property
    def state(self) -> Floats:
        """(hosts,) load state of the newest sample: 1 high, 0 calm, NaN if unknown."""
        return np.asarray(self._states.values[columns.STATE])

    @property
    def last_high(self) -> Floats:
        """(hosts,) time of the last sample during high load in seconds since the epoch; -inf if there is none."""
        return np.asarray(self._states.values[columns.LAST_HIGH])

    @property
    def in_period(self) -> Bools:
        """(hosts,) True in a high-load period, including short dips."""
        return np.asarray(self._states.values[columns.PERIOD_START] > -np.inf)

    def high_with_dips(self, time: float) -> Bools:
        """Return a mask (hosts,) of the hosts in high load or a short dip of it at a time."""
        return self._states.high_with_dips(time)

    def clear(self, hosts: Integers) -> None:
        """Forget the samples of hosts, by their positions (n,)."""
        self.ring.clear(hosts)
        self._states.clear(hosts)
        self._buckets.clear(hosts)
        self.load_index[hosts] = np.nan
        self._seasonal = None

    def take_over(self, host: int, window: RollingWindow) -> None:
        """Take over the samples of a host from its rolling window.

        Args:
            host: position of the host, which has no samples.
            window: rolling window of the specification with at least one sample, none newer than the newest slot.

        Raises:
            ValueError: the window has no time buckets.
        """
        if window.buckets is None:
            raise ValueError("a window without time buckets")
        self.ring.take_over(host, window)
        self._states.take_over(host, window)
        newest = int(window.times[-1] // self._buckets.width)
        self._buckets.take_over(host, window.buckets, newest)
        self._seasonal = None

    def open_slot(self, time: float) -> None:
        """Start the slot of a time in seconds since the epoch, later than that of the newest slot."""
        self.ring.open_slot(round(time / self.spec.step))
        bucket = int(time // self._buckets.width)
        if bucket > self._buckets.newest:
            self._buckets.open_bucket(bucket)
            self._seasonal = None

    def advance(self, time: float, values: Floats, present: Bools) -> None:
        """Open a slot and append the samples of the present hosts.

        Args:
            time: seconds since the epoch.
            values: (hosts, columns of the spec), NaN where missing.
            present: (hosts,) True for hosts with a sample.
        """
        self.open_slot(time)
        index = np.minimum(self.spec.rules.load_index(self.spec.columns, values), self.spec.load_limit)
        covered = self._states.advance(time, index, present)
        grid = self.ring.append(index, self.state, covered, present)
        self._buckets.append(grid, index, self.state, present)
        self.load_index = np.where(present, index, np.nan)

    def features(self, time: float) -> Floats:
        """Return the features (hosts, features) float32 at the newest slot, NaN where missing.

        Args:
            time: time of the newest slot in seconds since the epoch.
        """
        x = np.empty((len(self.spec.names), len(self.load_index)), np.float32)
        x[0] = self.load_index
        x[1] = self.state
        rows = iter(np.split(x[2:], np.cumsum([5 * len(self.spec.windows), 4])))
        brief = self._fill_windows(next(rows).reshape(len(self.spec.windows), 5, -1))
        self._fill_recurrence(next(rows), time)
        rest = next(rows)
        if self.spec.crossings:
            rest[: len(brief)] = brief
            rest = rest[len(brief) :]
        if self._seasonal is None:
            seasonal = load_columns(self._buckets, self._buckets.width, self.spec.horizons)
            self._seasonal = np.stack(seasonal).astype(np.float32)
        rest[:] = self._seasonal
        return np.ascontiguousarray(x.T)

    def _fill_windows(self, x: Floats) -> Floats:
        """Write the statistics of each window into `x` (windows, 5, hosts), and return the crossings."""
        sums = self.ring.window_sums()
        known = np.where(sums["known"] > 0, sums["known"], np.nan)
        shortest = MIN_COVERAGE * np.asarray(self.spec.windows)[:, None] * 1000
        known[sums["covered"] < shortest] = np.nan
        mean = sums["index"] / known
        x[:, 0] = mean / FIXED_POINT
        x[:, 1] = np.sqrt(np.maximum(sums["square"] / known - mean * mean, 0)) / FIXED_POINT
        x[:, 2] = sums["exceeded"] / known
        highest, lowest = self.ring.extremes()
        unknown = np.isnan(known)
        x[:, 3] = np.where(unknown, np.nan, highest)
        x[:, 4] = np.where(unknown, np.nan, lowest)
        return np.asarray(sums["brief"] / known)

    def _fill_recurrence(self, x: Floats, now: float) -> None:
        """Write the recurrence features into `x` (4, hosts), see `design_matrix`."""
        limit = self.spec.high_load_memory
        last_onset = self._states.values[columns.LAST_ONSET]
        previous_onset = self._states.values[columns.PREVIOUS_ONSET]
        lengths = np.full((3, x.shape[1]), limit)
        np.minimum(now - self.last_high, limit, out=lengths[0])
        np.minimum(now - last_onset, limit, out=lengths[1])
        np.subtract(last_onset, previous_onset, out=lengths[2], where=now - previous_onset <= limit)
        np.minimum(lengths[1] / lengths[2], MAX_PHASE, out=x[3])
        x[:3] = np.log1p(lengths / MINUTE)

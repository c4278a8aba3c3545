"""Outcome log: predictions of many hosts with their outcomes, in few bytes each.

Log-odds are stored in steps of 1 / LOGIT_SCALE up to MAX_LOGIT, and the load index in 254 steps. Recalibration fits
smooth functions to hundreds of outcomes, which these steps do not change visibly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.features.hosts.sample_ring import SampleRing
from model.forecast.log_odds import logit, sigmoid
from model.forecast.online.prediction_log import MaturedPredictions
from model.units import DAY

LOG_SECONDS = 10 * DAY
"""Age in seconds at which a prediction leaves the log."""

LOGIT_SCALE = 16.0
MAX_LOGIT = 7.9
NO_LOGIT = -128
"""Stored value of a missing prediction."""

UNKNOWN_LOAD = 255
"""Stored value of an unknown load index."""

ENTRY, HIGH = 1, 2
"""Flags of an entry: it exists, it was made during high load."""


@dataclass(frozen=True)
class Matured:
    """Outcomes of one horizon that became known.

    Attributes:
        horizon: position of the horizon.
        hosts: (n,) positions of the hosts.
        states: (n,) 1 for predictions made during high load, 0 otherwise.
        logits: (n,) log-odds of the model, NaN where it made no prediction.
        outcomes: (n,) 1 if high load followed, 0 if not, NaN if unknown.
    """

    horizon: int
    hosts: Integers
    states: Integers
    logits: Floats
    outcomes: Floats


@dataclass(frozen=True)
class LogEntry:
    """Predictions of some hosts at one sample.

    Attributes:
        hosts: (n,) positions of the hosts.
        model: (n, horizons) probabilities of the model alone.
        high: (n,) True during high load.
        load_index: (n,) NaN if unknown.
    """

    hosts: Integers
    model: Floats
    high: Bools
    load_index: Floats


class OutcomeLog:
    """One prediction of each host per log slot, the first of the slot, over the last LOG_SECONDS.

    An outcome is 1 if high load occurs within the horizon. It is 0 if the load state is known without a gap, and
    unknown otherwise; two missing samples in a row are a gap.
    """

    def __init__(self, hosts: int, horizons: Sequence[float], step: float, width: float, load_limit: float) -> None:
        """Create an empty log.

        Args:
            hosts: number of hosts.
            horizons: seconds.
            step: seconds between samples.
            width: seconds per log slot, a multiple of the step.
            load_limit: upper limit of the load index.
        """
        self._width = width
        self._step = step
        self._lengths = tuple(int(np.ceil(horizon / step - 1e-9)) for horizon in horizons)
        self._load_scale = (UNKNOWN_LOAD - 1) / load_limit
        self._slots = round(LOG_SECONDS / width)
        # Filled, not zeroed: all memory is occupied at once, and does not grow for days.
        shape = (self._slots, len(horizons), hosts)
        self._model: Integers = np.full(shape, NO_LOGIT, np.int8)
        self._outcomes: Integers = np.full(shape, -1, np.int8)
        self._flags: Integers = np.full((self._slots, hosts), 0, np.uint8)
        self._load: Integers = np.full((self._slots, hosts), UNKNOWN_LOAD, np.uint8)
        self._offsets: Integers = np.full((self._slots, hosts), 0, np.int16)
        self.newest = -1

    def clear(self, hosts: Integers) -> None:
        """Remove the entries of hosts, by their positions (n,)."""
        self._flags[:, hosts] = 0
        self._outcomes[..., hosts] = -1

    def forget_predictions(self, hosts: Integers) -> None:
        """Remove the predictions of the model for hosts (n,), and keep the outcomes: another model serves."""
        self._model[..., hosts] = NO_LOGIT

    def open_slot(self, time: float) -> int:
        """Make the slot of a time (seconds since the epoch) the newest one; return the number of slots passed."""
        number = int(time // self._width)
        if number <= self.newest:
            return 0
        passed = number - self.newest
        first = max(self.newest + 1, number - self._slots + 1)
        places = np.arange(first, number + 1) % self._slots
        self._flags[places] = 0
        self._outcomes[places] = -1
        self.newest = number
        return passed

    def lacking(self, hosts: Integers) -> Bools:
        """Return a mask (n,) of the hosts, by their positions, without an entry in the newest slot."""
        return np.asarray(self._flags[self.newest % self._slots, hosts] == 0)

    def add(self, entry: LogEntry, sample: int) -> None:
        """Add an entry to the newest slot.

        Args:
            entry: predictions of hosts without an entry in the slot.
            sample: number of the sample's slot, time / step.
        """
        place = self.newest % self._slots
        self._model[place][:, entry.hosts] = _encoded(entry.model).T
        self._flags[place, entry.hosts] = ENTRY + HIGH * entry.high
        known = ~np.isnan(entry.load_index)
        load = np.rint(np.where(known, entry.load_index, 0) * self._load_scale)
        self._load[place, entry.hosts] = np.where(known, np.maximum(load, 0), UNKNOWN_LOAD)
        self._offsets[place, entry.hosts] = sample - self._first_sample(self.newest)

    def mature(self, sample: int, ring: SampleRing) -> Iterator[Matured]:
        """Yield the outcomes that a slot of samples makes known, and store them.

        Args:
            sample: number of the sample's slot, the newest one of `ring`.
            ring: load states of the hosts.
        """
        for i, length in enumerate(self._lengths):
            slot = int((sample - length) * self._step // self._width)
            if slot <= self.newest - self._slots or length >= ring.slots:
                continue
            place = slot % self._slots
            made = self._offsets[place] == sample - length - self._first_sample(slot)
            hosts = np.flatnonzero((self._flags[place] > 0) & made)
            if not len(hosts):
                continue
            outcomes = _outcomes(ring.outcomes(length)[:, hosts])
            self._outcomes[place, i, hosts] = np.where(np.isnan(outcomes), -1, outcomes)
            states = (self._flags[place, hosts] & HIGH) // HIGH
            yield Matured(i, hosts, states.astype(np.intp), _decoded(self._model[place, i, hosts]), outcomes)

    def replay(self, hosts: Integers, slots: int) -> Iterator[list[Matured]]:
        """Yield the outcomes of hosts, by their positions (n,), that became known in each of the newest slots.

        The field `hosts` of a result holds positions among the n hosts.
        """
        lengths = [int(np.ceil(length * self._step / self._width)) for length in self._lengths]
        for slot in range(max(self.newest - slots, self.newest - self._slots + max(lengths)) + 1, self.newest + 1):
            known = []
            for i, length in enumerate(lengths):
                place = (slot - length) % self._slots
                made = np.flatnonzero(self._flags[place, hosts])
                states = (self._flags[place, hosts[made]] & HIGH) // HIGH
                outcomes = self._outcomes[place, i, hosts[made]]
                logits = _decoded(self._model[place, i, hosts[made]])
                known.append(
                    Matured(i, made, states.astype(np.intp), logits, np.where(outcomes < 0, np.nan, outcomes))
                )
            yield known

    def matured(self, host: int) -> MaturedPredictions:
        """Return the entries of a host in time order, without forecasts; see `PredictionLog.matured`."""
        slots, places = self._entries(host)
        load = self._load[places, host]
        outcomes = self._outcomes[places, :, host]
        return MaturedPredictions(
            times=slots * self._width + self._offsets[places, host] * self._step,
            probabilities=sigmoid(_decoded(self._model[places, :, host])),
            outcomes=np.where(outcomes < 0, np.nan, outcomes),
            high=(self._flags[places, host] & HIGH) > 0,
            load_index=np.where(load == UNKNOWN_LOAD, np.nan, load / self._load_scale),
            forecasts=np.empty((0, len(slots), len(self._lengths))),
        )

    def _entries(self, host: int) -> tuple[Integers, Integers]:
        """Return the slots (n,) with an entry of a host, and their places in the arrays."""
        slots = np.arange(max(0, self.newest - self._slots + 1), self.newest + 1)
        slots = slots[self._flags[slots % self._slots, host] > 0]
        return slots, slots % self._slots

    def _first_sample(self, slot: int) -> int:
        return int(np.ceil(slot * self._width / self._step - 1e-9))


def _encoded(p: Floats) -> Integers:
    z = np.clip(logit(p), -MAX_LOGIT, MAX_LOGIT)
    return np.where(np.isnan(z), NO_LOGIT, np.rint(np.nan_to_num(z) * LOGIT_SCALE)).astype(np.int8)


def _decoded(stored: Integers) -> Floats:
    return np.where(stored == NO_LOGIT, np.nan, stored / LOGIT_SCALE)


def _outcomes(states: Integers) -> Floats:
    """Return the outcomes (hosts,) of load states (slots, hosts): 1 high, 0 calm, -1 unknown."""
    unknown = states < 0
    gap = unknown.all(axis=0) | (unknown[1:] & unknown[:-1]).any(axis=0)
    return np.where((states == 1).any(axis=0), 1.0, np.where(gap, np.nan, 0.0))

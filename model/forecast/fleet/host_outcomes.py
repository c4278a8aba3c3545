"""Host outcomes: base rates, recalibration and running levels of many hosts, from their outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.features.hosts.sample_ring import SampleRing
from model.features.time_buckets import bucket_width
from model.forecast.fleet.host_levels import HostLevels
from model.forecast.fleet.outcome_log import OutcomeLog
from model.forecast.online.decision_table import DecisionTable
from model.forecast.online.decisions import FallbackDecision
from model.forecast.online.fallback import MIN_BLOCKS
from model.forecast.online.running_level import MEMORY
from model.forecast.predictor import Predictor

MIN_BASE_RATE_HORIZONS = MIN_BLOCKS
"""Smallest time with known outcomes, in horizons, for a base rate: outcomes within one horizon are correlated."""


class HostOutcomes:
    """Outcomes of the hosts of a block, and the decisions that follow from them.

    Attributes:
        log: predictions with their outcomes.
    """

    def __init__(self, predictor: Predictor, hosts: int) -> None:
        """Create the state of hosts without outcomes.

        Args:
            predictor: the shared predictor.
            hosts: number of hosts.
        """
        spec = predictor.spec
        self._step = spec.step
        self._width = bucket_width(spec.step) or spec.step
        self._horizons = predictor.horizons
        self._thresholds = predictor.thresholds
        self.log = OutcomeLog(hosts, predictor.horizons, spec.step, self._width, spec.load_limit)
        self._levels = HostLevels(hosts, predictor.horizons, self._width)
        self._decisions: list[tuple[FallbackDecision, ...]] = [self._undecided] * hosts
        self._known = np.zeros((hosts, len(predictor.horizons)))
        self._events = np.zeros((hosts, len(predictor.horizons)))
        self._covered = np.zeros((hosts, len(predictor.horizons)))
        self._tabulate()

    @property
    def _undecided(self) -> tuple[FallbackDecision, ...]:
        return (FallbackDecision(),) * len(self._horizons)

    def base_rates(self, hosts: Integers) -> Floats:
        """Return the event rate (n, horizons) of the hosts at positions (n,), NaN if too few outcomes are known.

        They are too few if they cover less than MIN_BASE_RATE_HORIZONS times the horizon.
        """
        known = self._known[hosts]
        is_enough = self._covered[hosts] >= MIN_BASE_RATE_HORIZONS * np.asarray(self._horizons)
        rates = np.full(known.shape, np.nan)
        np.divide(self._events[hosts], known, out=rates, where=is_enough)
        return rates

    def set_base_rate(self, host: int, labels: Floats) -> None:
        """Set the base rate of a host from the labels (rows, horizons) of its history, NaN if unknown."""
        self._known[host] = np.count_nonzero(~np.isnan(labels), axis=0)
        self._events[host] = np.count_nonzero(labels == 1, axis=0)
        self._covered[host] = self._known[host] * self._step

    def clear(self, hosts: Integers) -> None:
        """Forget all outcomes of hosts, by their positions (n,)."""
        self.log.clear(hosts)
        self._known[hosts] = 0
        self._events[hosts] = 0
        self._covered[hosts] = 0
        self.forget_predictions(hosts)

    def forget_predictions(self, hosts: Integers) -> None:
        """Return hosts (n,) to the state of a model without outcomes: another model serves from now on."""
        self.log.forget_predictions(hosts)
        self._levels.clear(hosts)
        for host in hosts.tolist():
            self._decisions[host] = self._undecided
        self._tabulate()

    def observe(self, time: float, ring: SampleRing) -> None:
        """Update base rates and levels by the outcomes that the newest slot makes known.

        Outcomes that would have become known in a skipped slot stay unknown.

        Args:
            time: time of the newest slot in seconds since the epoch.
            ring: load states of the hosts.
        """
        passed = self.log.open_slot(time)
        if passed:
            self._levels.decay(passed)
        for matured in self.log.mature(ring.newest, ring):
            known = ~np.isnan(matured.outcomes)
            hosts = matured.hosts[known]
            self._known[hosts, matured.horizon] += 1
            self._covered[hosts, matured.horizon] += self._width
            self._events[hosts, matured.horizon] += matured.outcomes[known]
            self._levels.observe(matured, *self._table.all_calibrations)

    def publish(self, probabilities: Floats, high: Bools, load_index: Floats) -> Floats:
        """Return the probabilities (hosts, horizons) after recalibration, levels and serving baselines.

        Args:
            probabilities: (hosts, horizons) probabilities of the models.
            high: (hosts,) True during high load.
            load_index: (hosts,) NaN if unknown.
        """
        offsets = self._levels.offsets[:, None]
        rows = probabilities[:, None], high[:, None], load_index[:, None]
        return self._table.apply(*rows, _no_forecasts, offsets)[:, 0]

    def thresholds(self, high: Bools) -> tuple[Floats, Floats]:
        """Return the start and release thresholds of warnings, see `DecisionTable.thresholds`."""
        return self._table.thresholds(high)

    def decide(self, decisions: Mapping[int, Sequence[FallbackDecision]]) -> None:
        """Set the fallback decisions of hosts, keyed by position, one per horizon; replay their levels."""
        changed = [host for host, own in decisions.items() if self._decisions[host] != tuple(own)]
        if not changed:
            return
        for host in changed:
            self._decisions[host] = tuple(decisions[host])
        self._tabulate()
        hosts = np.array(changed, np.intp)
        slope, intercept = (values[hosts] for values in self._table.all_calibrations)
        levels = HostLevels(len(hosts), self._horizons, self._width)
        for known in self.log.replay(hosts, round(MEMORY / self._width)):
            levels.decay(1)
            for matured in known:
                levels.observe(matured, slope, intercept)
        self._levels.take_over(hosts, levels)

    def _tabulate(self) -> None:
        self._table = DecisionTable(self._decisions, self._thresholds)


def _no_forecasts() -> Floats:
    """Raise ValueError: Holt-Winters, which needs too much memory for a fleet, is never a serving baseline."""
    raise ValueError("a fleet has no Holt-Winters forecasts")

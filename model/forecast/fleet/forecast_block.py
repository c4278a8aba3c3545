"""Forecast block: serving state of some hundred hosts as arrays."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.features.hosts.host_features import HostFeatures
from model.features.labels import future_labels
from model.forecast.fleet.host_outcomes import HostOutcomes
from model.forecast.fleet.outcome_log import LogEntry
from model.forecast.fleet.own_models import OwnModel, OwnModels
from model.forecast.online.high_load_floor import HighLoadFloor
from model.forecast.online.hysteresis import WarningHysteresis
from model.forecast.predictor import NETWORK, Predictor


@dataclass(frozen=True)
class BlockForecast:
    """Predictions of the hosts of a block that have a sample.

    Attributes:
        hosts: (n,) positions of the hosts.
        probabilities: (n, horizons) published probabilities.
        thresholds: (n, horizons) start threshold, or release threshold while a warning is active.
        warnings: (n, horizons) True while a warning is active.
        high: (n,) True during high load.
    """

    hosts: Integers
    probabilities: Floats
    thresholds: Floats
    warnings: Bools
    high: Bools


class ForecastBlock:
    """Serving state of a fixed number of hosts: features, models, outcomes and warnings.

    All hosts are served by a shared predictor over features of the load index, or by own models that blend it.

    Attributes:
        outcomes: outcomes of the predictions, base rates and decisions.
    """

    def __init__(self, predictor: Predictor, hosts: int) -> None:
        """Create the state of hosts without samples.

        Args:
            predictor: the shared predictor, whose spec has no inputs and whose blends use the networks alone.
            hosts: number of hosts.

        Raises:
            ValueError: the features of the predictor are not available for many hosts.
        """
        self._hosts = hosts
        self._features = HostFeatures(predictor.spec, hosts)
        self._warnings = WarningHysteresis(hosts, predictor.horizons, predictor.spec.rules.sustained)
        self.outcomes = HostOutcomes(predictor, hosts)
        self._own = OwnModels()
        self._set_shared(predictor)

    @property
    def newest(self) -> Floats:
        """(hosts,) time of the newest sample in seconds since the epoch; -inf if there is none."""
        return self._features.newest

    def has_own_model(self, hosts: Integers) -> Bools:
        """Return a mask (n,) of the hosts, by their positions, that own models serve."""
        return np.isin(hosts, self._own.hosts)

    def serve(self, predictor: Predictor) -> None:
        """Replace the shared predictor by one with the same spec and horizons, also for its outcomes."""
        self._set_shared(predictor)
        self.outcomes.forget_predictions(np.setdiff1d(np.arange(self._hosts), self._own.hosts))

    def set_own(self, models: Mapping[int, OwnModel | None]) -> None:
        """Set own models, keyed by position; None removes one. Outcomes of the hosts' models start again."""
        self._own = self._own.replaced(models)
        self.outcomes.forget_predictions(np.array(list(models), np.intp))

    def add(self, host: int, times: Floats, values: Floats) -> None:
        """Start a host with its history, none of it newer than the newest slot.

        Args:
            host: position of the host, which has no samples.
            times: (rows,) seconds since the epoch, increasing multiples of the step.
            values: (rows, columns of the spec), NaN where missing.
        """
        if not len(times):
            return
        window = self._predictor.spec.new_window(bounded=True)
        window.extend(times, values)
        self._features.take_over(host, window)
        self.outcomes.set_base_rate(host, future_labels(window.times, window.state, self._predictor.horizons))

    def clear(self, hosts: Integers) -> None:
        """Forget hosts, by their positions (n,)."""
        self._features.clear(hosts)
        self._warnings.reset(hosts)
        self.outcomes.clear(hosts)
        self._own = self._own.replaced(dict.fromkeys(hosts.tolist()))

    def open_slot(self, time: float) -> None:
        """Start the slot of a time in seconds since the epoch, later than that of the newest slot."""
        self._features.open_slot(time)

    def advance(self, time: float, values: Floats, present: Bools) -> BlockForecast:
        """Append the samples of the present hosts, and predict for them.

        Args:
            time: seconds since the epoch, a multiple of the step.
            values: (hosts, columns of the spec), NaN where missing.
            present: (hosts,) True for hosts with a sample.
        """
        features = self._features
        features.advance(time, values, present)
        self.outcomes.observe(time, features.ring)
        hosts = np.flatnonzero(present)
        x = features.features(time)
        high = features.state == 1
        model = np.full((self._hosts, len(self._predictor.horizons)), 0.5)
        if len(hosts):
            model[hosts] = self._model_probabilities(x[hosts], high[hosts], hosts)
        published = self.outcomes.publish(model, high, features.load_index)
        floored = features.high_with_dips(time) & present
        published = self._floor(published[:, None], x[:, None], floored[:, None])[0][:, 0]
        warnings, thresholds = self._warn(time, published, present)
        self._log(hosts, model, high)
        return BlockForecast(hosts, published[hosts], thresholds[hosts], warnings[hosts], high[hosts])

    def _set_shared(self, predictor: Predictor) -> None:
        self._predictor = predictor.fused()
        self._floor = HighLoadFloor(predictor)

    def _model_probabilities(self, x: Floats, high: Bools, hosts: Integers) -> Floats:
        """Return the probabilities (n, horizons) of the models of hosts (n,) for features (n, features)."""
        logits = self._predictor.expert_logits(x)
        probabilities = self._predictor.blend(logits, high)
        rows = np.flatnonzero(self.has_own_model(hosts))
        if len(rows):
            own = self._own.take(hosts[rows])
            probabilities[rows] = own.probabilities(x[rows], high[rows], logits[rows, :, NETWORK])
        return probabilities

    def _warn(self, time: float, published: Floats, present: Bools) -> tuple[Bools, Floats]:
        """Update the warnings of the present hosts.

        Args:
            time: seconds since the epoch.
            published: (hosts, horizons) published probabilities.
            present: (hosts,) True for hosts with a sample.

        Returns:
            Active warnings and thresholds, (hosts, horizons) each.
        """
        previous = copy.deepcopy(self._warnings)
        start, end = self.outcomes.thresholds(present[:, None])
        before, active = self._warnings.update(
            np.full((self._hosts, 1), time),
            published[:, None],
            (start, end),
            self._features.in_period[:, None],
            self._features.last_high[:, None],
        )
        self._warnings.restore(previous, np.flatnonzero(~present))
        return active[:, 0], np.where(before, end, start)[:, 0]

    def _log(self, hosts: Integers, model: Floats, high: Bools) -> None:
        """Log the predictions of the hosts (n,) without an entry in the log slot; other arrays have all hosts."""
        hosts = hosts[self.outcomes.log.lacking(hosts)]
        if len(hosts):
            entry = LogEntry(
                hosts=hosts,
                model=model[hosts],
                high=high[hosts],
                load_index=self._features.load_index[hosts],
            )
            self.outcomes.log.add(entry, self._features.ring.newest)

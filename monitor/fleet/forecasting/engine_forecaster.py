"""Engine forecaster: one online engine per host, as on a single host."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.forecast.online.engine import OnlineEngine
from model.forecast.predictor import Predictor
from monitor.fleet.interfaces import FleetForecast, FleetSample, HostHistory


class EngineForecaster:
    """Online forecasts of all hosts of a fleet by one model, with an engine for each host."""

    def __init__(self, predictor: Predictor) -> None:
        """Create a forecaster without hosts.

        Args:
            predictor: the model that serves all hosts.
        """
        self._predictor = predictor.fused()
        self._engines: dict[str, OnlineEngine] = {}
        self._newest: dict[str, float] = {}

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts that the forecaster follows, sorted."""
        return tuple(sorted(self._engines))

    def add(self, histories: Sequence[HostHistory]) -> None:
        """Follow hosts, with the newest part of their histories (may be empty); one history per host."""
        for history in histories:
            engine = OnlineEngine(self._predictor.spec, self._predictor, level=True)
            self._newest[history.host] = -np.inf
            if len(history.times):
                engine.advance(history.times[None], history.values[None])
                self._newest[history.host] = float(history.times[-1])
            self._engines[history.host] = engine

    def remove(self, hosts: Sequence[str]) -> None:
        """Forget hosts."""
        for host in hosts:
            self._engines.pop(host, None)
            self._newest.pop(host, None)

    def advance(self, sample: FleetSample) -> FleetForecast:
        """Append one sample and return the predictions of its hosts; hosts that are not followed are added first.

        A host whose history reaches the time of the sample or a later one is left out.
        """
        nothing = np.empty((0, sample.values.shape[1]))
        self.add([HostHistory(host, np.empty(0), nothing) for host in sample.hosts if host not in self._engines])
        rows = [row for row, host in enumerate(sample.hosts) if self._newest[host] < sample.time]
        forecasts = []
        for row in rows:
            engine = self._engines[sample.hosts[row]]
            engine.advance(np.array([[sample.time]]), sample.values[None, None, row])
            self._newest[sample.hosts[row]] = sample.time
            forecasts.append(engine.forecast())
        horizons = self._predictor.horizons
        shape = (len(rows), len(horizons))
        return FleetForecast(
            time=sample.time,
            hosts=tuple(sample.hosts[row] for row in rows),
            horizons=horizons,
            probabilities=np.array([forecast.probabilities[0, 0] for forecast in forecasts]).reshape(shape),
            base_rates=np.tile(self._predictor.base_rates, (len(rows), 1)),
            thresholds=np.array([forecast.thresholds[0, 0] for forecast in forecasts]).reshape(shape),
            warnings=np.array([forecast.warnings[0, 0] for forecast in forecasts], bool).reshape(shape),
            high=np.array([forecast.high[0, 0] for forecast in forecasts], bool),
            models=("pretrained",) * len(rows),
        )

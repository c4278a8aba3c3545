"""Served forecaster: forecasts by the newest saved models of a fleet."""

from __future__ import annotations

from collections.abc import Sequence

from model.forecast.predictor import Predictor
from model.forecast.pretrained import adapt
from monitor.fleet.forecasting.forecaster import ArrayForecaster
from monitor.fleet.interfaces import FleetForecast, FleetSample, HostHistory
from monitor.fleet.model_directory import ModelDirectory
from monitor.system.logging import get_logger

log = get_logger(__name__)


class ServedForecaster:
    """Forecaster that serves the models of a directory, and models that are saved later from their next step on."""

    def __init__(self, predictor: Predictor, directory: ModelDirectory) -> None:
        """Create a forecaster without hosts.

        Args:
            predictor: the pretrained model for the task, which serves until there is a pooled model.
            directory: saved models.
        """
        self._predictor = predictor
        self._directory = directory
        self._forecaster = ArrayForecaster(predictor)
        self._version = 0
        self._pooled_version = 0
        self._own_versions: dict[str, int] = {}

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts that the forecaster follows, sorted."""
        return self._forecaster.hosts

    def add(self, histories: Sequence[HostHistory]) -> None:
        """Follow hosts, with the newest part of their histories (may be empty); one history per host."""
        self._forecaster.add(histories)
        for history in histories:
            self._own_versions[history.host] = 0
        self._serve_own([history.host for history in histories])

    def remove(self, hosts: Sequence[str]) -> None:
        """Forget hosts."""
        self._forecaster.remove(hosts)
        for host in hosts:
            self._own_versions.pop(host, None)

    def advance(self, sample: FleetSample) -> FleetForecast:
        """Append one sample and return the predictions of its hosts; hosts that are not followed are added first."""
        version = self._directory.version
        if version != self._version:
            self._version = version
            self._serve_pooled()
            self._serve_own(list(self._own_versions))
        forecast = self._forecaster.advance(sample)
        started = [host for host in sample.hosts if host not in self._own_versions]
        if started:
            self._own_versions.update(dict.fromkeys(started, 0))
            self._serve_own(started)
        return forecast

    def _serve_pooled(self) -> None:
        version = self._directory.pooled_version()
        if version == self._pooled_version:
            return
        self._pooled_version = version
        pooled = self._directory.pooled()
        if pooled is not None:
            ensemble = adapt(pooled, self._predictor.spec, self._predictor.horizons)
            self._forecaster.serve_pooled(ensemble)
            log.info("pooled model served")

    def _serve_own(self, hosts: Sequence[str]) -> None:
        """Serve the own models of hosts that have changed."""
        versions = {host: self._directory.own_version(host) for host in hosts}
        changed = [host for host, version in versions.items() if version != self._own_versions[host]]
        if changed:
            self._own_versions.update(versions)
            models = {host: self._directory.own(host, self._predictor) for host in changed}
            self._forecaster.serve_own(models)
            log.info("own models served", hosts=sum(model is not None for model in models.values()))

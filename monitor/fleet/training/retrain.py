"""Retraining of a fleet: pooled model and own models, saved for the fleet process."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from model.forecast.serialization import bundled_pretrained_model, dumps_pretrained
from model.training.fleet.pooling import PoolComparison
from model.training.settings import GateConfig
from model.training.task import Task
from monitor.config.loader import Config
from monitor.documents.training import FleetRetrainingDocument, PoolComparisonDocument
from monitor.errors import ConfigError, MonitorError, NotEnoughDataError
from monitor.fleet.interfaces import HostSource
from monitor.fleet.model_directory import ModelDirectory
from monitor.fleet.training.executors import create_executor
from monitor.fleet.training.trainer import FleetTrainer
from monitor.system.logging import get_logger

log = get_logger(__name__)


@dataclass(frozen=True)
class FleetRetraining:
    """Result of the retraining of some or all hosts.

    Attributes:
        pooled: scores of the new pooled model next to the shipped one; None if none was trained.
        pooled_accepted: True if the gate accepted it.
        pooled_hosts: number of hosts in the pool.
        trained: number of hosts with a new own model.
        reasons: number of hosts without one, by the code of the reason.
    """

    pooled: PoolComparison | None
    pooled_accepted: bool
    pooled_hosts: int
    trained: int
    reasons: dict[str, int]

    @property
    def document(self) -> FleetRetrainingDocument:
        """The result as a document."""
        pooled = self.pooled
        comparison = None
        if pooled is not None:
            comparison = PoolComparisonDocument(
                hosts=pooled.hosts,
                brier=_known(pooled.brier),
                shipped_brier=_known(pooled.shipped_brier),
                precision=_known(pooled.precision),
                shipped_precision=_known(pooled.shipped_precision),
            )
        return FleetRetrainingDocument(
            pooled=comparison,
            pooled_promoted=self.pooled_accepted,
            pooled_hosts=self.pooled_hosts,
            trained=self.trained,
            refused=self.reasons,
        )


def retrain_fleet(
    config: Config,
    source: HostSource,
    directory: ModelDirectory,
    now: float,
    hosts: Sequence[str] = (),
    *,
    history: float | None = None,
) -> FleetRetraining:
    """Train hosts, and save the models that the gate accepts.

    A host whose new model is refused keeps its model.

    Args:
        config: high-load rules, training, gate and executor.
        source: histories of the hosts.
        directory: saved models.
        now: seconds since the epoch.
        hosts: hosts to train; empty to train the pooled model and then every host with a sample at the newest step.
        history: seconds of history; None for `training.history`.

    Raises:
        ConfigError: a rule has a quantile as bound, or the executor is not available.
        MonitorError: the source or the executor cannot be reached, or a model cannot be saved.
    """
    if not config.rules.resolved:
        raise ConfigError(["high_load.rules: a fleet needs numbers as bounds"])
    task = Task(config.rules, config.high_load.horizons, config.warning.precision)
    executor = create_executor(config.fleet.executor, config.fleet.workers)
    trainer = FleetTrainer(
        source, executor, task, GateConfig(config.gate.margin, config.gate.min_skill), config.training.seed
    )
    end = now // source.step * source.step
    start = end - (config.training.history if history is None else history)
    pooled = None
    try:
        if not hosts:
            hosts = source.read(end - source.step).hosts
            pooled = _train_pooled(trainer, directory, hosts, start, end)
        shared = directory.pooled_bytes() or dumps_pretrained(bundled_pretrained_model(), {})
        reasons: Counter[str] = Counter()
        trained = 0
        for result in trainer.train_own(hosts, start, end, shared):
            if result.model is None:
                reasons[result.reason] += 1
            else:
                directory.save_own(result.host, result.model)
                trained += 1
            log.info("host trained", host=result.host, promoted=result.model is not None, reason=result.reason)
    except OSError as error:
        raise MonitorError(f"a model of the fleet cannot be saved: {error}") from error
    return FleetRetraining(
        pooled=None if pooled is None else pooled[0],
        pooled_accepted=pooled is not None and pooled[1],
        pooled_hosts=0 if pooled is None else pooled[2],
        trained=trained,
        reasons=dict(reasons),
    )


def _train_pooled(
    trainer: FleetTrainer, directory: ModelDirectory, hosts: Sequence[str], start: float, end: float
) -> tuple[PoolComparison, bool, int] | None:
    """Train the pooled model and save it if the gate accepts it.

    Returns:
        The comparison, True if it was accepted, and the number of hosts in the pool; None without enough history.
    """
    try:
        pooled = trainer.train_pooled(hosts, start, end)
    except NotEnoughDataError as error:
        log.info("pooled model not trained", reason=error)
        return None
    if pooled.accepted:
        directory.save_pooled(pooled.model)
    log.info("pooled model trained", hosts=pooled.hosts, promoted=pooled.accepted)
    return pooled.comparison, pooled.accepted, pooled.hosts


def _known(value: float) -> float | None:
    """Return a score; None if it is not a number."""
    return None if math.isnan(value) else value

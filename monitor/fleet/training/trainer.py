"""Fleet trainer: pooled model and own models from the histories of a source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.errors import InputError
from model.forecast.serialization import bundled_pretrained_model, dumps_pretrained
from model.training.fleet.pooling import QUANTILES, HostRows, PoolComparison, compare_pooled
from model.training.fleet.readings import ROWS, fit_pretrained
from model.training.settings import GateConfig
from model.training.task import Task
from monitor.errors import NotEnoughDataError
from monitor.fleet.interfaces import HostHistory, HostSource
from monitor.fleet.training.executors import Executor, Lost
from monitor.fleet.training.tasks import (
    WORKER_DIED,
    PoolingTask,
    TrainingResult,
    TrainingTask,
    run_pooling,
    run_task,
)

BATCH_HOSTS = 50
"""Number of hosts whose histories are read at once."""

POOLED_HOSTS = 200
"""Largest number of hosts in the pool, drawn at random: more hosts repeat what these show."""

POOLED_ROWS = 300_000
"""Number of training rows of a large pool, which bounds memory and time."""

MIN_ROWS = 100
"""Smallest number of rows of a host per high-load bound."""


@dataclass(frozen=True)
class PooledTraining:
    """Result of the training of a pooled model.

    Attributes:
        model: serialized model (`dumps_pretrained`), also if the gate refused it.
        hosts: number of hosts in the pool.
        comparison: scores next to the shipped model.
        accepted: True if the gate accepted the model.
    """

    model: bytes
    hosts: int
    comparison: PoolComparison
    accepted: bool


class FleetTrainer:
    """Training runs of a fleet, in which each host's result depends on its own history and the shared model only."""

    def __init__(self, source: HostSource, executor: Executor, task: Task, gate: GateConfig, seed: int = 0) -> None:
        """Create a trainer.

        Args:
            source: histories of the hosts.
            executor: processes that run the tasks.
            task: high-load rules with numeric bounds, horizons and target precision.
            gate: conditions for promotion.
            seed: seed of the random numbers.
        """
        self._source = source
        self._executor = executor
        self._task = task
        self._gate = gate
        self._seed = seed

    def train_pooled(self, hosts: Sequence[str], start: float, end: float) -> PooledTraining:
        """Train a pooled model on up to POOLED_HOSTS hosts, and compare it with the shipped one.

        Args:
            hosts: hosts of the fleet.
            start: start of the histories in seconds since the epoch.
            end: end of the histories in seconds since the epoch.

        Raises:
            NotEnoughDataError: no host has enough history, or all outcomes are equal.
            SourceError: the source gives no usable answer.
            DivergedError: the fit diverged.
        """
        drawn = np.random.default_rng(self._seed).permutation(sorted(hosts))[:POOLED_HOSTS].tolist()
        rows = max(MIN_ROWS, min(ROWS, POOLED_ROWS // max(1, len(drawn) * (1 + len(QUANTILES)))))
        tasks = (self._pooling_task(history, rows) for history in self._histories(sorted(drawn), start, end))
        pool = [part for part in self._executor.run(_pooling_result, tasks) if not isinstance(part, Lost)]
        # Results arrive in any order.
        parts = [part for _, part in sorted(pool, key=lambda result: result[0]) if part is not None]
        if not parts:
            raise NotEnoughDataError("no host has enough history for a pooled model")
        try:
            pooled = fit_pretrained([reading for part in parts for reading in part.readings], self._seed)
        except InputError as error:
            raise NotEnoughDataError(f"the histories do not suffice for a pooled model: {error}") from error
        comparison = compare_pooled(pooled, bundled_pretrained_model(), parts, self._source.step)
        blob = dumps_pretrained(pooled, {"hosts": len(parts), "seed": self._seed})
        return PooledTraining(blob, len(parts), comparison, comparison.accepted(self._gate.margin))

    def train_own(self, hosts: Sequence[str], start: float, end: float, shared: bytes) -> Iterator[TrainingResult]:
        """Train the own models of hosts, and yield the results as they are completed, one for each host.

        Args:
            hosts: hosts to train.
            start: start of the histories in seconds since the epoch.
            end: end of the histories in seconds since the epoch.
            shared: serialized pooled or shipped model, which the own models blend.

        Raises:
            SourceError: the source gives no usable answer.
        """
        tasks = (self._training_task(history, shared) for history in self._histories(hosts, start, end))
        return train_hosts(tasks, self._executor)

    def _histories(self, hosts: Sequence[str], start: float, end: float) -> Iterator[HostHistory]:
        """Yield one history for each host, empty for a host without samples."""
        for first in range(0, len(hosts), BATCH_HOSTS):
            batch = hosts[first : first + BATCH_HOSTS]
            parts: dict[str, list[HostHistory]] = {host: [] for host in batch}
            for part in self._source.history(batch, start, end):
                parts[part.host].append(part)
            for host, own in parts.items():
                times = np.concatenate([np.empty(0), *(part.times for part in own)])
                nothing = np.empty((0, len(self._source.columns)))
                yield HostHistory(host, times, np.concatenate([nothing, *(part.values for part in own)]))

    def _training_task(self, history: HostHistory, shared: bytes) -> TrainingTask:
        metrics = self._task.rules.metrics
        positions = [self._source.columns.index(metric) for metric in metrics]
        return TrainingTask(
            host=history.host,
            times=history.times,
            values=history.values[:, positions],
            columns=metrics,
            task=self._task,
            shared=shared,
            gate=self._gate,
            seed=self._seed,
        )

    def _pooling_task(self, history: HostHistory, rows: int) -> PoolingTask:
        index: Floats = self._task.rules.load_index(self._source.columns, history.values)
        return PoolingTask(
            host=history.host,
            times=history.times,
            index=index,
            step=self._source.step,
            sustained=self._task.rules.sustained,
            rows=rows,
            seed=self._seed,
        )


def train_hosts(tasks: Iterator[TrainingTask], executor: Executor) -> Iterator[TrainingResult]:
    """Run training tasks, and yield one result for each task as it is completed.

    Args:
        tasks: tasks of the hosts.
        executor: processes that run the tasks; the results do not depend on it.
    """
    for result in executor.run(run_task, tasks):
        if isinstance(result, Lost):
            message = "the worker process died in each attempt"
            yield TrainingResult(result.task.host, None, WORKER_DIED, message)
        else:
            yield result


def _pooling_result(task: PoolingTask) -> tuple[str, HostRows | None]:
    return task.host, run_pooling(task)

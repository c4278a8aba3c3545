"""Training tasks: training of single hosts as values for other processes."""

from __future__ import annotations

from dataclasses import dataclass

from model.array_types import Floats
from model.forecast.serialization import loads_pretrained
from model.forecast.serialization.own_models import dumps_own
from model.training.fleet.own_training import train_own
from model.training.fleet.pooling import HostRows, host_rows
from model.training.settings import GateConfig
from model.training.task import Task

WORKER_DIED = "worker_died"
"""Code of the reason of a task whose worker process died in each attempt."""


@dataclass(frozen=True)
class TrainingTask:
    """Training of the own model of one host.

    Attributes:
        host: value of the host label.
        times: (rows,) seconds since the epoch, increasing.
        values: (rows, columns), NaN where missing.
        columns: names of the columns.
        task: high-load rules, horizons and target precision.
        shared: serialized pooled or shipped model (`dumps_pretrained`).
        gate: conditions for promotion.
        seed: seed of the random numbers of the fleet.
    """

    host: str
    times: Floats
    values: Floats
    columns: tuple[str, ...]
    task: Task
    shared: bytes
    gate: GateConfig
    seed: int = 0


@dataclass(frozen=True)
class TrainingResult:
    """Result of a training task.

    Attributes:
        host: value of the host label.
        model: serialized own model (`dumps_own`); None without one.
        reason: code of the reason without a model: WORKER_DIED or that of `OwnTraining`; empty with a model.
        message: text of the reason.
    """

    host: str
    model: bytes | None
    reason: str = ""
    message: str = ""


def run_task(task: TrainingTask) -> TrainingResult:
    """Train the own model of a host; equal tasks give equal results in any process.

    Raises:
        SerializationError: the shared model is damaged.
    """
    shared = loads_pretrained(task.shared)
    seed = host_seed(task.seed, task.host)
    trained = train_own(task.times, task.values, task.columns, task.task, shared, task.gate, seed)
    model = None if trained.model is None else dumps_own(trained.model)
    return TrainingResult(task.host, model, trained.reason, trained.message)


@dataclass(frozen=True)
class PoolingTask:
    """Extraction of the rows of one host for the pooled model.

    Attributes:
        host: value of the host label.
        times: (samples,) seconds since the epoch, increasing.
        index: (samples,) load index, NaN if unknown.
        step: seconds between samples.
        sustained: seconds for which a rule must hold.
        rows: largest number of training rows per high-load bound.
        seed: seed of the random numbers of the fleet.
    """

    host: str
    times: Floats
    index: Floats
    step: float
    sustained: float
    rows: int
    seed: int = 0


def run_pooling(task: PoolingTask) -> HostRows | None:
    """Return the rows of a host for the pooled model; None if its history is too short."""
    seed = host_seed(task.seed, task.host)
    return host_rows(task.times, task.index, task.step, task.sustained, seed, task.rows)


def host_seed(seed: int, host: str) -> tuple[int, ...]:
    """Return a seed of random numbers that differs between hosts and does not depend on the other hosts."""
    return (seed, *host.encode())

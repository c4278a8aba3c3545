"""Training and prediction speed compared with scikit-learn, PyTorch and matrix products.

`python -m benchmarks.training [--check]` trains with equal architecture, data, batches, epochs and optimizer (Adam,
float32) on one thread. The trainings alternate within each round; a ratio is the median over the rounds. The time of
the matrix products alone is the lower bound. Needs the `bench` extra.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

try:
    import sklearn  # noqa: F401
    import torch
    from threadpoolctl import threadpool_limits
except ImportError as error:
    raise SystemExit(f"{error}: install the compared libraries with scripts/venv --bench") from error

from benchmarks.networks.tasks import (
    Task,
    multiply_matrices,
    synthetic_data,
    tasks,
    train,
    train_pytorch,
    train_sklearn,
)
from benchmarks.report import Figure, main
from model.nn import training as training_module
from model.nn.diagnostics.gradient_statistics import GradientStatistics
from model.nn.losses import BCEWithLogits
from model.nn.network import Network

LOSS_SEEDS = 3
"""Number of trainings per library in the comparison of test losses."""

Durations = dict[str, list[float]]
"""Seconds per round, by name."""


class NoStatistics(GradientStatistics):
    """Gradient statistics that compute only the norm, which clipping and divergence checks need."""

    def __init__(self, network: Network, gradient: np.ndarray[Any, Any]) -> None:
        super().__init__(network, gradient)
        self._gradient = gradient

    def record_gradient(self) -> float:
        return float(np.sqrt(self._gradient.dot(self._gradient)))

    @property
    def update_due(self) -> bool:
        return False


def train_without_statistics(task: Task) -> None:
    """Train with this library without gradient statistics."""
    original = vars(training_module)["GradientStatistics"]
    setattr(training_module, "GradientStatistics", NoStatistics)  # noqa: B010
    try:
        train(task)
    finally:
        setattr(training_module, "GradientStatistics", original)  # noqa: B010


def measure_durations(functions: dict[str, Callable[[], Any]], rounds: int) -> Durations:
    """Measure all functions in each round."""
    durations: Durations = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            durations[name].append(time.perf_counter() - start)
    return durations


def median_ratio(durations: Durations, other: str) -> float:
    """Return the median over the rounds of this library's duration over another's.

    Durations of one round are compared, since a change in the load of the machine affects both.
    """
    pairs = zip(durations["library"], durations[other], strict=True)
    return statistics.median(library / compared for library, compared in pairs)


def measure_speed(task: Task, rounds: int) -> list[Figure]:
    """Measure the training time of a task."""
    durations = measure_durations(
        {
            "library": lambda: train(task),
            "scikit-learn": lambda: train_sklearn(task),
            "PyTorch": lambda: train_pytorch(task),
            "matrix products": lambda: multiply_matrices(task),
            "without statistics": lambda: train_without_statistics(task),
        },
        rounds,
    )
    step = statistics.median(durations["library"]) / task.steps * 1e6
    statistics_ratio = median_ratio(durations, "without statistics")
    return [
        Figure(f"{task.name}: step", step, unit="us"),
        Figure(
            f"{task.name}: over scikit-learn", median_ratio(durations, "scikit-learn"), most=task.max_over_sklearn
        ),
        Figure(f"{task.name}: over PyTorch", median_ratio(durations, "PyTorch"), most=task.max_over_pytorch),
        Figure(
            f"{task.name}: over matrix products",
            median_ratio(durations, "matrix products"),
            most=task.max_over_products,
        ),
        Figure(f"{task.name}: over training without gradient statistics", statistics_ratio, most=1.1),
    ]


def measure_quality(task: Task) -> list[Figure]:
    """Compare the test loss with that of scikit-learn and PyTorch, in units of the spread over seeds."""
    x, y = synthetic_data(20_000, 1)

    def cross_entropy(p: np.ndarray[Any, Any]) -> float:
        p = np.clip(p.astype(np.float64), 1e-12, 1 - 1e-12)
        return float(-np.mean(np.where(y == 1, np.log(p), np.log1p(-p))))

    def library_loss(seed: int) -> float:
        return cross_entropy(BCEWithLogits().predictions(train(task, seed).predict(x))[:, 0])

    def sklearn_loss(seed: int) -> float:
        return cross_entropy(train_sklearn(task, seed).predict_proba(x)[:, 1])

    def pytorch_loss(seed: int) -> float:
        logits = train_pytorch(task, seed)(torch.from_numpy(x))
        return cross_entropy(torch.sigmoid(logits).detach().numpy()[:, 0])

    losses = [[loss(seed) for seed in range(LOSS_SEEDS)] for loss in (library_loss, sklearn_loss, pytorch_loss)]
    library, sklearn, pytorch = (statistics.mean(values) for values in losses)
    spread = max(max(values) - min(values) for values in losses)
    return [
        Figure("product: test loss", library, unit="nats"),
        Figure("product: test loss of scikit-learn", sklearn, unit="nats"),
        Figure("product: test loss of PyTorch", pytorch, unit="nats"),
        Figure("product: spread over seeds", spread, unit="nats"),
        Figure(
            "product: test loss above the better of both, in spreads",
            (library - min(sklearn, pytorch)) / spread,
            most=1.0,
        ),
    ]


def measure_single_row(task: Task) -> list[Figure]:
    """Measure the prediction of a probability for one row."""
    network, classifier, loss = train(task), train_sklearn(task), BCEWithLogits()
    row = task.x[:1]
    durations = measure_durations(
        {
            "library": lambda: loss.predictions(network.predict(row)),
            "scikit-learn": lambda: classifier.predict_proba(row),
        },
        5000,
    )
    return [
        Figure("single row", statistics.median(durations["library"]) * 1e6, unit="us"),
        Figure("single row: over scikit-learn", median_ratio(durations, "scikit-learn"), most=0.08),
    ]


def measure_memory(task: Task) -> list[Figure]:
    """Measure the peak memory of a training, including its data, over the size of the data."""
    data = task.x.nbytes + task.examples.y.nbytes
    tracemalloc.start()
    train(task)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return [Figure("product: peak memory over its float32 data", (data + peak) / data, most=2.0)]


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Measure all figures."""
    torch.set_num_threads(1)
    figures = []
    with threadpool_limits(1):
        for task in tasks():
            figures += measure_speed(task, arguments.rounds)
        product = tasks()[0]
        figures += measure_single_row(product)
        figures += measure_memory(product)
        figures += measure_quality(product)
    return figures


if __name__ == "__main__":
    raise SystemExit(main("Training compared with other libraries", measure, ("--rounds", 9, "number of rounds")))

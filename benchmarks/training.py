"""The speed of training and of a single prediction, beside scikit-learn, PyTorch and the bare matrix products.

`python -m benchmarks.training [--check]`: the same architecture, data, batch, epochs and optimizer (Adam, float32)
on one thread, taking turns in one run; each ratio is the median of the rounds'. The bare products are those of the
same steps and nothing else: the limit. Needs the `bench` extra.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

try:
    import torch
    from sklearn.datasets import load_digits, make_circles
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits
except ImportError as error:
    raise SystemExit(f"{error}: the peers are missing, install them with scripts/venv --bench") from error

from benchmarks.report import Figure, main
from model.nn import training as training_loop
from model.nn.data import Examples
from model.nn.diagnostics.gradient_statistics import GradientStatistics
from model.nn.fit_config import FitConfig
from model.nn.losses import BCEWithLogits, CrossEntropyWithLogits
from model.nn.network import Network, mlp
from model.nn.numerics import encode_classes
from model.nn.training import Training

RATE = 1e-3
LOSS_SEEDS = 3


@dataclass(frozen=True)
class Task:
    """Something to learn, and the most that it may cost."""

    name: str
    x: np.ndarray[Any, Any]
    y: np.ndarray[Any, Any]
    hidden: tuple[int, ...]
    batch: int
    epochs: int
    over_sklearn: float
    over_torch: float | None = None
    over_bare: float | None = None

    @property
    def classes(self) -> int:
        return int(self.y.max()) + 1

    @property
    def sizes(self) -> tuple[int, ...]:
        return (self.x.shape[1], *self.hidden, 1 if self.classes == 2 else self.classes)

    @property
    def steps(self) -> int:
        return self.epochs * -(-len(self.x) // self.batch)

    @property
    def part(self) -> Examples:
        y = self.y[:, None].astype(np.float32) if self.classes == 2 else encode_classes(self.y, self.classes)
        return Examples(self.x, y)


def product_data(rows: int, seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Rows of 64 features of which some bend: what the product learns, in shape and size."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 64)).astype(np.float32)
    score = x[:, :8].sum(axis=1) + 2 * x[:, 8] * x[:, 9] + 2 * np.abs(x[:, 10]) + rng.normal(size=rows)
    return x, (score > 5).astype(int)


def tasks() -> list[Task]:
    rng = np.random.default_rng(0)
    digits = load_digits()
    load = rng.random((2000, 3)).astype(np.float32)
    circles = make_circles(1000, noise=0.1, random_state=0)
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    return [
        Task("product", *product_data(100_000, 0), (64, 32), 256, 4, 0.33, 0.33, 2.3),
        Task("digits", (digits.data / 16).astype(np.float32), digits.target, (128, 64), 32, 30, 0.28),
        Task("server load", load, (load.mean(axis=1) > 0.55).astype(int), (8, 4), 32, 60, 0.18),
        Task("circles", circles[0].astype(np.float32), circles[1], (16, 8), 32, 60, 0.18),
        Task("XOR", corners, np.array([0, 1, 1, 0]), (4,), 4, 2000, 0.10),
    ]


def ours(task: Task, seed: int = 0) -> Network:
    rng = np.random.default_rng(seed)
    part = task.part
    # the start that scikit-learn draws, so that the losses can be compared
    network = mlp(task.sizes, rng, initializer="xavier_uniform")
    loss = BCEWithLogits() if task.classes == 2 else CrossEntropyWithLogits()
    config = FitConfig(
        "adam", RATE, "constant", task.epochs, task.batch, weight_decay=0, gradient_clip=0, patience=0
    )  # fmt: skip
    Training(network, loss, part, None, config, rng).run()
    return network


def sklearns(task: Task, seed: int = 0) -> MLPClassifier:
    peer = MLPClassifier(
        task.hidden, learning_rate_init=RATE, batch_size=task.batch, max_iter=task.epochs, alpha=0,
        n_iter_no_change=task.epochs + 1, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return peer.fit(task.x, task.y)


def torches(task: Task, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    layers: list[torch.nn.Module] = []
    for fan_in, fan_out in pairwise(task.sizes):
        layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    objective = torch.nn.BCEWithLogitsLoss() if task.classes == 2 else torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    part = task.part
    x, y = torch.from_numpy(part.x), torch.from_numpy(part.y)
    for _ in range(task.epochs):
        for rows in torch.randperm(len(x)).split(task.batch):
            optimizer.zero_grad()
            objective(network(x[rows]), y[rows]).backward()
            optimizer.step()
    return network


def bare(task: Task) -> None:
    """The products of the same steps, in memory that is there."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=shape).astype(np.float32) for shape in pairwise(task.sizes)]
    gradients = [np.empty_like(w) for w in weights]
    rest = len(task.x) % task.batch
    for rows, steps in ((task.batch, len(task.x) // task.batch), (rest, 1 if rest else 0)):
        a = [rng.normal(size=(rows, n)).astype(np.float32) for n in task.sizes]
        g = [value.copy() for value in a]
        for _ in range(steps * task.epochs):
            for i, w in enumerate(weights):
                np.dot(a[i], w, out=a[i + 1])
            for i in reversed(range(len(weights))):
                np.dot(a[i].T, g[i + 1], out=gradients[i])
                if i:
                    np.dot(g[i + 1], weights[i].T, out=g[i])


class Blind(GradientStatistics):
    """Sees only what clipping and the divergence stop need."""

    def __init__(self, network: Network, gradient: np.ndarray[Any, Any]) -> None:
        super().__init__(network, gradient)
        self._gradient = gradient

    def record_gradient(self) -> float:
        return float(np.sqrt(self._gradient.dot(self._gradient)))

    @property
    def update_due(self) -> bool:
        return False


def blind(task: Task) -> None:
    """Ours without the record of its health."""
    seeing = vars(training_loop)["GradientStatistics"]
    setattr(training_loop, "GradientStatistics", Blind)  # noqa: B010
    try:
        ours(task)
    finally:
        setattr(training_loop, "GradientStatistics", seeing)  # noqa: B010


Taken = dict[str, list[float]]
"""Seconds by name, one entry a round."""


def times(runs: dict[str, Callable[[], Any]], rounds: int) -> Taken:
    """Seconds of each, taking turns."""
    taken: Taken = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            taken[name].append(time.perf_counter() - began)
    return taken


def ratio(taken: Taken, over: str) -> float:
    """Our time over another's, the median of the rounds: neighbours in time share what the machine does to them."""
    return statistics.median(own / other for own, other in zip(taken["ours"], taken[over], strict=True))


def speed(task: Task, rounds: int) -> list[Figure]:
    runs: dict[str, Callable[[], Any]] = {
        "ours": lambda: ours(task),
        "scikit-learn": lambda: sklearns(task),
        "PyTorch": lambda: torches(task),
        "bare products": lambda: bare(task),
        "ours without health": lambda: blind(task),
    }
    taken = times(runs, rounds)
    return [
        Figure(f"{task.name}: a step", statistics.median(taken["ours"]) / task.steps * 1e6, unit="us"),
        Figure(f"{task.name}: over scikit-learn", ratio(taken, "scikit-learn"), most=task.over_sklearn),
        Figure(f"{task.name}: over PyTorch", ratio(taken, "PyTorch"), most=task.over_torch),
        Figure(f"{task.name}: over the bare products", ratio(taken, "bare products"), most=task.over_bare),
        Figure(f"{task.name}: over the same without health", ratio(taken, "ours without health"), most=1.1),
    ]


def quality(task: Task) -> list[Figure]:
    """Cross-entropy on rows that nobody saw: ours must lie in the peers' range over seeds, or below it."""
    x, y = product_data(20_000, 1)

    def nats(p: np.ndarray[Any, Any]) -> float:
        p = np.clip(p.astype(np.float64), 1e-12, 1 - 1e-12)
        return float(-np.mean(np.where(y == 1, np.log(p), np.log1p(-p))))

    sigmoid, loss = torch.nn.Sigmoid(), BCEWithLogits()
    seeds = range(LOSS_SEEDS)
    own = [nats(loss.predictions(ours(task, seed).predict(x))[:, 0]) for seed in seeds]
    learn = [nats(sklearns(task, seed).predict_proba(x)[:, 1]) for seed in seeds]
    torched = [nats(sigmoid(torches(task, seed)(torch.from_numpy(x))).detach().numpy()[:, 0]) for seed in seeds]
    spread = max(max(values) - min(values) for values in (own, learn, torched))
    return [
        Figure("product: test loss", statistics.mean(own), unit="nats"),
        Figure("product: test loss of scikit-learn", statistics.mean(learn), unit="nats"),
        Figure("product: test loss of PyTorch", statistics.mean(torched), unit="nats"),
        Figure("product: spread over seeds", spread, unit="nats"),
        Figure(
            "product: above the better peer, in spreads",
            (statistics.mean(own) - min(statistics.mean(learn), statistics.mean(torched))) / spread,
            most=1.0,
        ),
    ]


def single_row(task: Task) -> list[Figure]:
    """A probability for one row, median of many calls that take turns."""
    network, peer, loss = ours(task), sklearns(task), BCEWithLogits()
    row = task.x[:1]
    taken = times(
        {"ours": lambda: loss.predictions(network.predict(row)), "scikit-learn": lambda: peer.predict_proba(row)},
        5000,
    )
    return [
        Figure("single row", statistics.median(taken["ours"]) * 1e6, unit="us"),
        Figure("single row over scikit-learn", ratio(taken, "scikit-learn"), most=0.08),
    ]


def memory(task: Task) -> list[Figure]:
    """The data and the most that is held beside it, over the data."""
    data = task.x.nbytes + task.part.y.nbytes
    tracemalloc.start()
    ours(task)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return [Figure("product: peak memory over its float32 data", (data + peak) / data, most=2.0)]


def measure(arguments: argparse.Namespace) -> list[Figure]:
    torch.set_num_threads(1)
    figures = []
    with threadpool_limits(1):
        for task in tasks():
            figures += speed(task, arguments.rounds)
        product = tasks()[0]
        figures += single_row(product)
        figures += memory(product)
        figures += quality(product)
    return figures


if __name__ == "__main__":
    raise SystemExit(main("Training beside its peers", measure, ("--rounds", 9, "rounds of each")))

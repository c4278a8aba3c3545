"""Speed benchmark tasks, trained by this library, scikit-learn, PyTorch, and as matrix products alone."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits, make_circles
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from model.nn.data import Examples
from model.nn.fit_config import FitConfig
from model.nn.losses import BCEWithLogits, CrossEntropyWithLogits
from model.nn.losses.classification import encode_classes
from model.nn.network import Network, mlp
from model.nn.training import Training

LEARNING_RATE = 1e-3


@dataclass(frozen=True)
class Task:
    """Training problem, and the largest accepted ratios of the training time to that of others."""

    name: str
    x: np.ndarray[Any, Any]
    y: np.ndarray[Any, Any]
    hidden: tuple[int, ...]
    batch_size: int
    epochs: int
    max_over_sklearn: float
    max_over_pytorch: float | None = None
    max_over_products: float | None = None

    @property
    def classes(self) -> int:
        """Return the number of classes."""
        return int(self.y.max()) + 1

    @property
    def sizes(self) -> tuple[int, ...]:
        """Return the number of inputs, of units of each hidden layer, and of outputs."""
        return (self.x.shape[1], *self.hidden, 1 if self.classes == 2 else self.classes)

    @property
    def steps(self) -> int:
        """Return the number of steps of the training."""
        return self.epochs * -(-len(self.x) // self.batch_size)

    @property
    def examples(self) -> Examples:
        """Return inputs and labels in the form of the library."""
        y = self.y[:, None].astype(np.float32) if self.classes == 2 else encode_classes(self.y, self.classes)
        return Examples(self.x, y)


def synthetic_data(rows: int, seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return inputs (rows, 64) and classes (rows,) of the size and kind of the daemon's training data."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 64)).astype(np.float32)
    score = x[:, :8].sum(axis=1) + 2 * x[:, 8] * x[:, 9] + 2 * np.abs(x[:, 10]) + rng.normal(size=rows)
    return x, (score > 5).astype(int)


def tasks() -> list[Task]:
    """Return all tasks."""
    rng = np.random.default_rng(0)
    x, y = synthetic_data(100_000, 0)
    digits = load_digits()
    load = rng.random((2000, 3)).astype(np.float32)
    circles_x, circles_y = make_circles(1000, noise=0.1, random_state=0)
    xor_x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    return [
        Task(
            name="product",
            x=x,
            y=y,
            hidden=(64, 32),
            batch_size=256,
            epochs=4,
            max_over_sklearn=0.33,
            max_over_pytorch=0.33,
            max_over_products=2.3,
        ),
        Task(
            name="digits",
            x=(digits.data / 16).astype(np.float32),
            y=digits.target,
            hidden=(128, 64),
            batch_size=32,
            epochs=30,
            max_over_sklearn=0.28,
        ),
        Task(
            name="server load",
            x=load,
            y=(load.mean(axis=1) > 0.55).astype(int),
            hidden=(8, 4),
            batch_size=32,
            epochs=60,
            max_over_sklearn=0.18,
        ),
        Task(
            name="circles",
            x=circles_x.astype(np.float32),
            y=circles_y,
            hidden=(16, 8),
            batch_size=32,
            epochs=60,
            max_over_sklearn=0.18,
        ),
        Task(
            name="XOR",
            x=xor_x,
            y=np.array([0, 1, 1, 0]),
            hidden=(4,),
            batch_size=4,
            epochs=2000,
            max_over_sklearn=0.10,
        ),
    ]


def train(task: Task, seed: int = 0) -> Network:
    """Train with this library."""
    rng = np.random.default_rng(seed)
    # The initial weights of scikit-learn, so that the losses are comparable.
    network = mlp(task.sizes, rng, initializer="xavier_uniform")
    loss = BCEWithLogits() if task.classes == 2 else CrossEntropyWithLogits()
    config = FitConfig(
        optimizer="adam",
        learning_rate=LEARNING_RATE,
        schedule="constant",
        epochs=task.epochs,
        batch_size=task.batch_size,
        weight_decay=0,
        gradient_clip=0,
        patience=0,
    )
    Training(network, loss, task.examples, None, config, rng).run()
    return network


def train_sklearn(task: Task, seed: int = 0) -> MLPClassifier:
    """Train with scikit-learn."""
    classifier = MLPClassifier(
        task.hidden,
        learning_rate_init=LEARNING_RATE,
        batch_size=task.batch_size,
        max_iter=task.epochs,
        alpha=0,
        n_iter_no_change=task.epochs + 1,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return classifier.fit(task.x, task.y)


def train_pytorch(task: Task, seed: int = 0) -> torch.nn.Module:
    """Train with PyTorch, in eager mode."""
    torch.manual_seed(seed)
    layers: list[torch.nn.Module] = []
    for fan_in, fan_out in pairwise(task.sizes):
        layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    loss = torch.nn.BCEWithLogitsLoss() if task.classes == 2 else torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    examples = task.examples
    x, y = torch.from_numpy(examples.x), torch.from_numpy(examples.y)
    for _ in range(task.epochs):
        for rows in torch.randperm(len(x)).split(task.batch_size):
            optimizer.zero_grad()
            loss(network(x[rows]), y[rows]).backward()
            optimizer.step()
    return network


def multiply_matrices(task: Task) -> None:
    """Compute the matrix products of all steps in preallocated memory, and nothing else."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=shape).astype(np.float32) for shape in pairwise(task.sizes)]
    gradients = [np.empty_like(weight) for weight in weights]
    rest = len(task.x) % task.batch_size
    for rows, steps in ((task.batch_size, len(task.x) // task.batch_size), (rest, min(rest, 1))):
        activations = [rng.normal(size=(rows, size)).astype(np.float32) for size in task.sizes]
        slopes = [value.copy() for value in activations]
        for _ in range(steps * task.epochs):
            for i, weight in enumerate(weights):
                np.dot(activations[i], weight, out=activations[i + 1])
            for i in reversed(range(len(weights))):
                np.dot(activations[i].T, slopes[i + 1], out=gradients[i])
                if i:
                    np.dot(slopes[i + 1], weights[i].T, out=slopes[i])

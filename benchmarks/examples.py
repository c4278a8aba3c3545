"""The examples that tutorials on networks from scratch end with: their data, and how each is learned.

XOR, two circles, handwritten digits and the load of a server, then three short uses; each done right by the library,
and some the way the tutorials do them (`taught`), with its flaw: gradient descent on all rows at once, ReLUs and a
sigmoid at the end, where the output's error is multiplied by the sigmoid's derivative a second time, as if the loss
were a squared error. Needs scikit-learn for its data and as a peer.
"""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.datasets import load_digits, make_circles
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from model.nn.data import Examples
from model.nn.fit_config import FitConfig
from model.nn.losses import BCEWithLogits, CrossEntropyWithLogits, Loss
from model.nn.network import Network, mlp
from model.nn.numerics import encode_classes, sigmoid
from model.nn.training import fit

Array = np.ndarray[Any, Any]

QUICK = FitConfig(
    optimizer="adam",
    learning_rate=0.01,
    schedule="cosine",
    batch_size=32,
    weight_decay=0,
    gradient_clip=1,
    patience=0,
)


@dataclass(frozen=True)
class Split:
    """Rows to learn from and rows to be marked on; labels are class numbers."""

    x: Array
    y: Array
    test_x: Array
    test_y: Array


def split(x: Array, y: Array, seed: int) -> Split:
    """Four fifths to learn from, scaled by what they show."""
    x, test_x, y, test_y = train_test_split(x.astype(np.float32), y, test_size=0.2, random_state=seed, stratify=y)
    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-6
    return Split((x - mean) / deviation, y, (test_x - mean) / deviation, test_y)


def learned(
    data: Split,
    hidden: Sequence[int],
    config: FitConfig,
    seed: int,
    *,
    activation: str = "tanh",
    dropout: float = 0.0,
) -> tuple[Network, Loss]:
    """A network of the library, fitted on the rows to learn from."""
    classes, rng = int(data.y.max()) + 1, np.random.default_rng(seed)
    loss: Loss = BCEWithLogits() if classes == 2 else CrossEntropyWithLogits()
    y = data.y[:, None].astype(np.float32) if classes == 2 else encode_classes(data.y, classes)
    sizes = (data.x.shape[1], *hidden, y.shape[1])
    network = mlp(sizes, rng, activation=activation, dropout=dropout)
    fit(network, loss, Examples(data.x, y), None, config, rng)
    return network, loss


def classes_of(z: Array) -> Array:
    """Logits (rows, outputs) to class numbers (rows,)."""
    return (z[:, 0] > 0).astype(int) if z.shape[1] == 1 else z.argmax(axis=1)


def accuracy(network: Network, x: Array, y: Array) -> float:
    return float(np.mean(classes_of(network.predict(x)) == y))


def taught(
    data: Split, hidden: Sequence[int], seed: int, *, epochs: int = 1500, rate: float = 0.01
) -> Callable[[Array], Array]:
    """The network as the tutorials teach it; gives the function from rows to class numbers."""
    classes, rng = int(data.y.max()) + 1, np.random.default_rng(seed)
    y = data.y[:, None].astype(float) if classes == 2 else encode_classes(data.y, classes).astype(float)
    sizes = [data.x.shape[1], *hidden, y.shape[1]]
    weights = [rng.normal(0, np.sqrt(2 / n), (n, m)) for n, m in pairwise(sizes)]
    biases = [np.zeros(m) for m in sizes[1:]]

    def outputs(x: Array) -> list[Array]:
        a = [x]
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            a.append(np.maximum(a[-1] @ w + b, 0))
        return [*a, sigmoid(a[-1] @ weights[-1] + biases[-1])]

    for _ in range(epochs):
        a = outputs(data.x)
        # the flaw: a - y is the whole error of a cross-entropy; times a (1 - a) it fades where it is most wrong
        delta = (a[-1] - y) * a[-1] * (1 - a[-1])
        for i in reversed(range(len(weights))):
            below = (delta @ weights[i].T) * (a[i] > 0)
            weights[i] -= rate * a[i].T @ delta / len(y)
            biases[i] -= rate * delta.mean(axis=0)
            delta = below
    return lambda x: classes_of(outputs(x)[-1] - 0.5)


# XOR


def corners() -> Split:
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    y = np.array([0, 1, 1, 0])
    return Split(x, y, x, y)


def xor(units: int, seed: int) -> float:
    """The share of the four corners that [2, units, 1] gets right."""
    config = FitConfig("adam", 0.05, "constant", epochs=500, weight_decay=0, gradient_clip=0, patience=0)
    data = corners()
    return accuracy(learned(data, (units,), config, seed)[0], data.x, data.y)


def xor_taught(seed: int) -> float:
    data = corners()
    return float(np.mean(taught(data, (4,), seed, epochs=5000, rate=0.1)(data.x) == data.y))


# circles


def circles(seed: int) -> Split:
    x, y = make_circles(1000, noise=0.1, random_state=seed)
    return split(x, y, seed)


def circles_learned(data: Split, seed: int) -> Network:
    return learned(data, (16, 8), replace(QUICK, epochs=60), seed)[0]


def circles_of_sklearn(data: Split, seed: int) -> float:
    peer = MLPClassifier((16, 8), activation="tanh", max_iter=300, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return float(peer.fit(data.x, data.y).score(data.test_x, data.test_y))


# digits


def digits(seed: int) -> Split:
    found = load_digits()
    x, test_x, y, test_y = train_test_split(
        (found.data / 16).astype(np.float32), found.target, test_size=0.2, random_state=seed, stratify=found.target
    )
    return Split(x, y, test_x, test_y)


@dataclass(frozen=True)
class Gap:
    """Of one training: accuracy on the test rows, and cross-entropy there less that on the training rows."""

    accuracy: float
    gap: float


def digits_learned(data: Split, seed: int, *, l2: float = 0.0, dropout: float = 0.0) -> Gap:
    config = replace(QUICK, learning_rate=0.003, epochs=40, l2=l2)
    network, loss = learned(data, (128, 64), config, seed, activation="relu", dropout=dropout)
    nats = [
        loss(network.predict(x), encode_classes(y, 10))[0] for x, y in ((data.x, data.y), (data.test_x, data.test_y))
    ]
    return Gap(accuracy(network, data.test_x, data.test_y), nats[1] - nats[0])


def digits_taught(data: Split, seed: int) -> float:
    return float(np.mean(taught(data, (128, 64), seed, rate=0.1)(data.test_x) == data.test_y))


# the load of a server


def server_load(seed: int) -> Split:
    """2,000 moments of CPU, memory and network use; load is high as the daemon's own default rules say."""
    rng = np.random.default_rng(seed)
    x = rng.random((2000, 3))
    y = ((x[:, 0] > 0.85) | ((x[:, 0] > 0.6) & (x[:, 1] > 0.8))).astype(int)
    return split(x, y, seed)


@dataclass(frozen=True)
class Marks:
    """Of one classifier on the test rows."""

    accuracy: float
    recall: float
    precision: float


def marks(found: Array, y: Array) -> Marks:
    both = float(np.sum((found == 1) & (y == 1)))
    return Marks(float(np.mean(found == y)), both / max(1, np.sum(y == 1)), both / max(1, np.sum(found == 1)))


def server_load_learned(data: Split, seed: int) -> Marks:
    config = replace(QUICK, learning_rate=0.02, epochs=150)
    network, _ = learned(data, (8, 4), config, seed)
    return marks(classes_of(network.predict(data.test_x)), data.test_y)


def server_load_taught(data: Split, seed: int) -> Marks:
    return marks(taught(data, (8, 4), seed)(data.test_x), data.test_y)


# short uses


def request_rate(seed: int) -> float:
    """Whether a client should be slowed down, by its rate, burst, share of errors and age: balanced accuracy."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.gamma(2, 20, 2000), rng.gamma(1, 10, 2000), rng.beta(1, 8, 2000), rng.random(2000)])
    y = (x[:, 0] + 2 * x[:, 1] * (1 - x[:, 3]) + 200 * x[:, 2] > 90).astype(int)
    data = split(x, y, seed)
    network, _ = learned(data, (16,), replace(QUICK, epochs=60), seed)
    found = classes_of(network.predict(data.test_x))
    return statistics.mean(float(np.mean(found[data.test_y == kind] == kind)) for kind in (0, 1))


def log_lines(seed: int) -> float:
    """Whether a line of a log is normal, by the counts of hashed words: balanced accuracy."""
    rng = np.random.default_rng(seed)
    usual = "GET POST 200 304 ok user login cache hit page index served ms static".split()  # noqa: SIM905
    odd = "refused timeout traceback denied segfault retry 500 502 corrupt".split()  # noqa: SIM905

    def line(normal: bool) -> Array:
        words = list(rng.choice(usual, 8)) + ([] if normal else list(rng.choice(odd, rng.integers(1, 4))))
        counts = np.zeros(64)
        for word in words:
            counts[sum(map(ord, word)) * 31 % 64] += 1
        return counts

    y = (rng.random(1500) < 0.2).astype(int)
    data = split(np.stack([line(label == 0) for label in y]), y, seed)
    network, _ = learned(data, (16,), replace(QUICK, epochs=30), seed)
    found = classes_of(network.predict(data.test_x))
    return statistics.mean(float(np.mean(found[data.test_y == kind] == kind)) for kind in (0, 1))


def scaling(seed: int) -> float:
    """How many replicas a service needs, in five steps, by requests, latency and CPU use: accuracy."""
    rng = np.random.default_rng(seed)
    requests, share = rng.gamma(3, 100, 2000), rng.uniform(0.3, 0.9, 2000)
    needed = np.clip(np.ceil(requests / 150), 1, 5).astype(int) - 1
    data = split(np.column_stack([requests, 50 / (1 - share), share]), needed, seed)
    network, _ = learned(data, (16, 8), replace(QUICK, epochs=60), seed)
    return accuracy(network, data.test_x, data.test_y)


def bayes_of_circles() -> float:
    """The accuracy of the best possible rule: the density of each noisy circle depends on the radius alone."""
    rng = np.random.default_rng(0)

    def radii(radius: float) -> Array:
        dx, dy = rng.normal(0, 0.1, (2, 400_000))
        return np.asarray(np.hypot(radius + dx, dy))

    outer, inner = radii(1.0), radii(0.8)
    cuts = np.linspace(0.6, 1.2, 601)
    return float(max((np.mean(outer > c) + np.mean(inner <= c)) / 2 for c in cuts))

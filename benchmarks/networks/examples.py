"""Tutorial examples: XOR, two circles, handwritten digits and server load.

Needs scikit-learn for data and comparison.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.datasets import load_digits, make_circles
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from model.nn.data import Examples
from model.nn.fit_config import FitConfig
from model.nn.losses import BCEWithLogits, CrossEntropyWithLogits, Loss
from model.nn.losses.classification import encode_classes
from model.nn.network import Network, mlp
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
"""Settings for small data sets."""


@dataclass(frozen=True)
class Split:
    """Training rows and test rows; labels are class numbers (rows,)."""

    x: Array
    y: Array
    test_x: Array
    test_y: Array


def split(x: Array, y: Array, seed: int) -> Split:
    """Split off a fifth of the rows for the test, and standardise by the training rows."""
    x, test_x, y, test_y = train_test_split(x.astype(np.float32), y, test_size=0.2, random_state=seed, stratify=y)
    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-6
    return Split((x - mean) / deviation, y, (test_x - mean) / deviation, test_y)


def train(
    data: Split,
    hidden: Sequence[int],
    config: FitConfig,
    seed: int,
    *,
    activation: str = "tanh",
    dropout: float = 0.0,
) -> tuple[Network, Loss]:
    """Train a network of this library on the training rows."""
    classes = int(data.y.max()) + 1
    rng = np.random.default_rng(seed)
    loss: Loss = BCEWithLogits() if classes == 2 else CrossEntropyWithLogits()
    y = data.y[:, None].astype(np.float32) if classes == 2 else encode_classes(data.y, classes)
    sizes = (data.x.shape[1], *hidden, y.shape[1])
    network = mlp(sizes, rng, activation=activation, dropout=dropout)
    fit(network, loss, Examples(data.x, y), None, config, rng)
    return network, loss


def classify(logits: Array) -> Array:
    """Convert logits (rows, outputs) to class numbers (rows,)."""
    return (logits[:, 0] > 0).astype(int) if logits.shape[1] == 1 else logits.argmax(axis=1)


def accuracy(network: Network, x: Array, y: Array) -> float:
    """Return the share of rows that the network classifies correctly."""
    return float(np.mean(classify(network.predict(x)) == y))


def xor_data() -> Split:
    """Return the four points of XOR, for training and test."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    y = np.array([0, 1, 1, 0])
    return Split(x, y, x, y)


def xor_accuracy(units: int, seed: int) -> float:
    """Return the accuracy of a trained network with `units` hidden units."""
    config = FitConfig(
        optimizer="adam",
        learning_rate=0.05,
        schedule="constant",
        epochs=500,
        weight_decay=0,
        gradient_clip=0,
        patience=0,
    )
    data = xor_data()
    network, _ = train(data, (units,), config, seed)
    return accuracy(network, data.x, data.y)


def circles_data(seed: int) -> Split:
    """Return points of two noisy concentric circles."""
    x, y = make_circles(1000, noise=0.1, random_state=seed)
    return split(x, y, seed)


def train_circles(data: Split, seed: int) -> Network:
    """Train the network for the circles."""
    return train(data, (16, 8), replace(QUICK, epochs=60), seed)[0]


def circles_accuracy_of_sklearn(data: Split, seed: int) -> float:
    """Return the test accuracy of scikit-learn with an equal network."""
    classifier = MLPClassifier((16, 8), activation="tanh", max_iter=300, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return float(classifier.fit(data.x, data.y).score(data.test_x, data.test_y))


def circles_bayes_accuracy() -> float:
    """Return the accuracy of the Bayes-optimal rule, a threshold on the radius, by simulation."""
    rng = np.random.default_rng(0)

    def noisy_radii(radius: float) -> Array:
        dx, dy = rng.normal(0, 0.1, (2, 400_000))
        return np.asarray(np.hypot(radius + dx, dy))

    outer = noisy_radii(1.0)
    inner = noisy_radii(0.8)
    thresholds = np.linspace(0.6, 1.2, 601)
    return float(max((np.mean(outer > radius) + np.mean(inner <= radius)) / 2 for radius in thresholds))


def digits_data(seed: int) -> Split:
    """Return images of handwritten digits, 64 pixels each."""
    digits = load_digits()
    x, test_x, y, test_y = train_test_split(
        (digits.data / 16).astype(np.float32), digits.target, test_size=0.2, random_state=seed, stratify=digits.target
    )
    return Split(x, y, test_x, test_y)


@dataclass(frozen=True)
class DigitsScore:
    """Test accuracy, and generalisation gap: test loss minus training loss, in nats."""

    accuracy: float
    gap: float


def digits_score(data: Split, seed: int, *, l2: float = 0.0, dropout: float = 0.0) -> DigitsScore:
    """Train the network for the digits and return its score."""
    config = replace(QUICK, learning_rate=0.003, epochs=40, l2=l2)
    network, loss = train(data, (128, 64), config, seed, activation="relu", dropout=dropout)
    train_loss, _ = loss(network.predict(data.x), encode_classes(data.y, 10))
    test_loss, _ = loss(network.predict(data.test_x), encode_classes(data.test_y, 10))
    return DigitsScore(accuracy(network, data.test_x, data.test_y), test_loss - train_loss)


def server_load_data(seed: int) -> Split:
    """Return 2,000 rows of CPU, memory and network use, labelled with the daemon's default high-load rules."""
    rng = np.random.default_rng(seed)
    x = rng.random((2000, 3))
    y = ((x[:, 0] > 0.85) | ((x[:, 0] > 0.6) & (x[:, 1] > 0.8))).astype(int)
    return split(x, y, seed)


@dataclass(frozen=True)
class BinaryScore:
    """Scores of a binary classifier on the test rows."""

    accuracy: float
    recall: float
    precision: float


def binary_score(predicted: Array, y: Array) -> BinaryScore:
    """Return the scores of predicted classes (rows,) against labels (rows,)."""
    true_positives = float(np.sum((predicted == 1) & (y == 1)))
    return BinaryScore(
        accuracy=float(np.mean(predicted == y)),
        recall=true_positives / max(1, np.sum(y == 1)),
        precision=true_positives / max(1, np.sum(predicted == 1)),
    )


def server_load_score(data: Split, seed: int) -> BinaryScore:
    """Train the network for the server load and return its scores."""
    network, _ = train(data, (8, 4), replace(QUICK, learning_rate=0.02, epochs=150), seed)
    return binary_score(classify(network.predict(data.test_x)), data.test_y)

"""Naive training, as in tutorials: full-batch gradient descent with a wrong output gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from benchmarks.networks.examples import Array, BinaryScore, Split, binary_score, classify, xor_data
from model.nn.losses.classification import encode_classes
from model.nn.numerics import sigmoid


def train_naively(
    data: Split, hidden: Sequence[int], seed: int, *, epochs: int = 1500, learning_rate: float = 0.01
) -> Callable[[Array], Array]:
    """Train a network of ReLUs with a sigmoid output.

    The error of the output is multiplied by the derivative of the sigmoid, as for the squared error. With
    cross-entropy this derivative cancels; here the gradient vanishes where the output is most wrong.

    Returns:
        Function from inputs (rows, inputs) to class numbers (rows,).
    """
    classes = int(data.y.max()) + 1
    rng = np.random.default_rng(seed)
    y = data.y[:, None].astype(float) if classes == 2 else encode_classes(data.y, classes).astype(float)
    sizes = [data.x.shape[1], *hidden, y.shape[1]]
    weights = [rng.normal(0, np.sqrt(2 / n), (n, m)) for n, m in pairwise(sizes)]
    biases = [np.zeros(m) for m in sizes[1:]]

    def forward(x: Array) -> list[Array]:
        activations = [x]
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            activations.append(np.maximum(activations[-1] @ weight + bias, 0))
        return [*activations, sigmoid(activations[-1] @ weights[-1] + biases[-1])]

    for _ in range(epochs):
        activations = forward(data.x)
        output = activations[-1]
        delta = (output - y) * output * (1 - output)
        for i in reversed(range(len(weights))):
            input_delta = (delta @ weights[i].T) * (activations[i] > 0)
            weights[i] -= learning_rate * activations[i].T @ delta / len(y)
            biases[i] -= learning_rate * delta.mean(axis=0)
            delta = input_delta
    return lambda x: classify(forward(x)[-1] - 0.5)


def naive_accuracy(data: Split, hidden: Sequence[int], seed: int, *, learning_rate: float = 0.01) -> float:
    """Return the test accuracy of a naive training."""
    predict = train_naively(data, hidden, seed, learning_rate=learning_rate)
    return float(np.mean(predict(data.test_x) == data.test_y))


def naive_xor_accuracy(seed: int) -> float:
    """Return the accuracy on XOR of a naive training with four hidden units."""
    data = xor_data()
    predict = train_naively(data, (4,), seed, epochs=5000, learning_rate=0.1)
    return float(np.mean(predict(data.x) == data.y))


def naive_server_load_score(data: Split, seed: int) -> BinaryScore:
    """Return the scores of a naive training on the server load."""
    return binary_score(train_naively(data, (8, 4), seed)(data.test_x), data.test_y)

"""Tutorial examples trained by this library, scikit-learn and naively, over 20 seeds.

`python -m benchmarks.tutorials [--check] [--picture FILE]`. Needs scikit-learn, and matplotlib for the picture.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.networks.examples import (
    BinaryScore,
    DigitsScore,
    accuracy,
    circles_accuracy_of_sklearn,
    circles_bayes_accuracy,
    circles_data,
    digits_data,
    digits_score,
    server_load_data,
    server_load_score,
    train_circles,
    xor_accuracy,
)
from benchmarks.networks.naive import naive_accuracy, naive_server_load_score, naive_xor_accuracy
from benchmarks.networks.operations import log_line_accuracy, rate_limit_accuracy, scaling_accuracy
from benchmarks.report import Figure, main
from model.nn.numerics import sigmoid

SEEDS = 20
"""Number of seeds per example."""

OPERATION_SEEDS = 5
"""Number of seeds per example from operations."""


def draw_circles(path: Path) -> None:
    """Draw the circles of the first seed over the probabilities that the network predicts."""
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    data = circles_data(0)
    network = train_circles(data, 0)
    axis = np.linspace(-2.5, 2.5, 301, dtype=np.float32)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    probabilities = sigmoid(network.predict(grid)).reshape(301, 301)
    figure, axes = plt.subplots(figsize=(7, 6))
    contours = axes.contourf(axis, axis, probabilities, levels=np.linspace(0, 1, 21), cmap="RdBu_r")
    axes.contour(axis, axis, probabilities, levels=[0.5], colors="black")
    for kind, name, marker in ((0, "outer", "o"), (1, "inner", "^")):
        x, y = data.test_x[data.test_y == kind].T
        axes.scatter(x, y, marker=marker, edgecolors="white", s=36, label=f"test rows, {name} circle")
    axes.set(title="Two circles: probability of the inner circle", xlabel="x (deviations)", ylabel="y (deviations)")
    axes.legend(loc="upper right")
    figure.colorbar(contours)
    figure.savefig(path, dpi=120)


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Measure all examples."""
    if arguments.picture:
        draw_circles(Path(arguments.picture))
    with threadpool_limits(1):
        return [*_xor(), *_circles(), *_digits(), *_server_load(), *_operations()]


def _xor() -> list[Figure]:
    seeds = range(SEEDS)
    naive = sum(naive_xor_accuracy(seed) == 1 for seed in seeds)
    return [
        Figure("XOR [2,4,1]: seeds with all points correct", sum(xor_accuracy(4, s) == 1 for s in seeds), least=18),
        Figure("XOR [2,8,1]: seeds with all points correct", sum(xor_accuracy(8, s) == 1 for s in seeds), least=20),
        Figure("XOR [2,4,1], naive: seeds with all points correct", naive),
    ]


def _circles() -> list[Figure]:
    splits = [circles_data(seed) for seed in range(SEEDS)]
    library = [accuracy(train_circles(data, seed), data.test_x, data.test_y) for seed, data in enumerate(splits)]
    sklearn = statistics.mean(circles_accuracy_of_sklearn(data, seed) for seed, data in enumerate(splits))
    naive = statistics.mean(naive_accuracy(data, (16, 8), seed) for seed, data in enumerate(splits))
    return [
        Figure("circles: test accuracy", statistics.mean(library), least=sklearn - 0.01),
        Figure("circles, scikit-learn: test accuracy", sklearn),
        Figure("circles, Bayes-optimal rule: accuracy", circles_bayes_accuracy()),
        Figure("circles, naive: test accuracy", naive),
    ]


def _digits() -> list[Figure]:
    splits = [digits_data(seed) for seed in range(SEEDS)]
    plain = [digits_score(data, seed) for seed, data in enumerate(splits)]
    l2 = [digits_score(data, seed, l2=1e-3) for seed, data in enumerate(splits)]
    dropout = [digits_score(data, seed, dropout=0.3) for seed, data in enumerate(splits)]
    naive = [naive_accuracy(data, (128, 64), seed, learning_rate=0.1) for seed, data in enumerate(splits[:3])]
    gap = _mean(plain, "gap")
    return [
        Figure("digits: test accuracy", _mean(plain, "accuracy"), least=0.97),
        Figure("digits: test accuracy of the worst seed", min(score.accuracy for score in plain)),
        Figure("digits, L2: test accuracy", _mean(l2, "accuracy"), least=0.97),
        Figure("digits, dropout: test accuracy", _mean(dropout, "accuracy"), least=0.97),
        Figure("digits: generalisation gap", gap, unit="nats"),
        Figure("digits, L2: gap over the plain gap", _mean(l2, "gap") / gap, most=0.9),
        Figure("digits, dropout: gap over the plain gap", _mean(dropout, "gap") / gap, most=0.9),
        Figure("digits, naive: test accuracy, 3 seeds", statistics.mean(naive)),
    ]


def _server_load() -> list[Figure]:
    splits = [server_load_data(seed) for seed in range(SEEDS)]
    library = [server_load_score(data, seed) for seed, data in enumerate(splits)]
    naive = [naive_server_load_score(data, seed) for seed, data in enumerate(splits)]
    return [
        Figure("server load: worst test accuracy", min(score.accuracy for score in library), least=0.965),
        Figure("server load: worst recall", min(score.recall for score in library), least=0.93),
        Figure("server load: worst precision", min(score.precision for score in library), least=0.95),
        Figure("server load: test accuracy", _mean(library, "accuracy")),
        Figure("server load, naive: test accuracy", _mean(naive, "accuracy")),
        Figure("server load, naive: seeds without true positive", sum(score.recall == 0 for score in naive)),
    ]


def _mean(scores: Sequence[DigitsScore | BinaryScore], name: str) -> float:
    """Return the mean of one figure over all scores."""
    return statistics.mean(float(getattr(score, name)) for score in scores)


def _operations() -> list[Figure]:
    examples = {
        "rate limiting: balanced accuracy": rate_limit_accuracy,
        "log lines: balanced accuracy": log_line_accuracy,
        "scaling: accuracy": scaling_accuracy,
    }
    return [
        Figure(name, statistics.mean(example(seed) for seed in range(OPERATION_SEEDS)), least=0.9)
        for name, example in examples.items()
    ]


if __name__ == "__main__":
    raise SystemExit(main("Tutorial examples", measure, ("--picture", "", "draw the circles to this file")))

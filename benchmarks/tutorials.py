"""The examples that tutorials on networks from scratch end with, done right, beside the way they do them.

`python -m benchmarks.tutorials [--check] [--picture FILE]`: the `examples` over 20 seeds. Needs scikit-learn;
matplotlib for the picture.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.examples import (
    accuracy,
    bayes_of_circles,
    circles,
    circles_learned,
    circles_of_sklearn,
    digits,
    digits_learned,
    digits_taught,
    log_lines,
    request_rate,
    scaling,
    server_load,
    server_load_learned,
    server_load_taught,
    taught,
    xor,
    xor_taught,
)
from benchmarks.report import Figure, main
from model.nn.numerics import sigmoid

SEEDS = 20


def draw(path: Path) -> None:
    """The circles of the first seed with what the network says of every place."""
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    data = circles(0)
    network = circles_learned(data, 0)
    side = np.linspace(-2.5, 2.5, 301, dtype=np.float32)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    p = sigmoid(network.predict(grid)).reshape(301, 301)
    figure, axes = plt.subplots(figsize=(7, 6))
    shown = axes.contourf(side, side, p, levels=np.linspace(0, 1, 21), cmap="RdBu_r")
    axes.contour(side, side, p, levels=[0.5], colors="black")
    for kind, name, marker in ((0, "outer", "o"), (1, "inner", "^")):
        rows = data.test_x[data.test_y == kind]
        axes.scatter(
            rows[:, 0], rows[:, 1], marker=marker, edgecolors="white", s=36, label=f"test rows, {name} circle"
        )
    axes.set(title="Two circles: probability of the inner one", xlabel="x (deviations)", ylabel="y (deviations)")
    axes.legend(loc="upper right")
    figure.colorbar(shown)
    figure.savefig(path, dpi=120)


def measure(arguments: argparse.Namespace) -> list[Figure]:
    if arguments.picture:
        draw(Path(arguments.picture))
    with threadpool_limits(1):
        return [*_xor(), *_circles(), *_digits(), *_server_load(), *_uses()]


def _xor() -> list[Figure]:
    seeds = range(SEEDS)
    return [
        Figure("XOR [2,4,1]: seeds with all four right", sum(xor(4, s) == 1 for s in seeds), least=18),
        Figure("XOR [2,8,1]: seeds with all four right", sum(xor(8, s) == 1 for s in seeds), least=20),
        Figure("XOR [2,4,1] as taught: seeds with all four right", sum(xor_taught(s) == 1 for s in seeds)),
    ]


def _circles() -> list[Figure]:
    data = [circles(seed) for seed in range(SEEDS)]
    own = statistics.mean(accuracy(circles_learned(d, s), d.test_x, d.test_y) for s, d in enumerate(data))
    peer = statistics.mean(circles_of_sklearn(d, s) for s, d in enumerate(data))
    old = statistics.mean(float(np.mean(taught(d, (16, 8), s)(d.test_x) == d.test_y)) for s, d in enumerate(data))
    return [
        Figure("circles: test accuracy", own, least=peer - 0.01),
        Figure("circles: of scikit-learn", peer),
        Figure("circles: of the best possible rule", bayes_of_circles()),
        Figure("circles as taught: test accuracy", old),
    ]


def _digits() -> list[Figure]:
    data = [digits(seed) for seed in range(SEEDS)]
    plain = [digits_learned(d, s) for s, d in enumerate(data)]
    l2 = [digits_learned(d, s, l2=1e-3) for s, d in enumerate(data)]
    dropped = [digits_learned(d, s, dropout=0.3) for s, d in enumerate(data)]
    gap = statistics.mean(g.gap for g in plain)
    return [
        Figure("digits: test accuracy", statistics.mean(g.accuracy for g in plain), least=0.97),
        Figure("digits: worst seed", min(g.accuracy for g in plain)),
        Figure("digits with L2: test accuracy", statistics.mean(g.accuracy for g in l2), least=0.97),
        Figure("digits with dropout: test accuracy", statistics.mean(g.accuracy for g in dropped), least=0.97),
        Figure("digits: test loss less training loss", gap, unit="nats"),
        Figure("digits with L2: that gap over the plain one", statistics.mean(g.gap for g in l2) / gap, most=0.9),
        Figure(
            "digits with dropout: that gap over the plain one",
            statistics.mean(g.gap for g in dropped) / gap,
            most=0.9,
        ),
        Figure("digits as taught: test accuracy, 3 seeds", statistics.mean(map(digits_taught, data[:3], range(3)))),
    ]


def _server_load() -> list[Figure]:
    data = [server_load(seed) for seed in range(SEEDS)]
    own = [server_load_learned(d, s) for s, d in enumerate(data)]
    old = [server_load_taught(d, s) for s, d in enumerate(data)]
    return [
        Figure("server load: worst test accuracy", min(m.accuracy for m in own), least=0.965),
        Figure("server load: worst recall", min(m.recall for m in own), least=0.93),
        Figure("server load: worst precision", min(m.precision for m in own), least=0.95),
        Figure("server load: test accuracy", statistics.mean(m.accuracy for m in own)),
        Figure("server load as taught: test accuracy", statistics.mean(m.accuracy for m in old)),
        Figure("server load as taught: seeds that never say high", sum(m.recall == 0 for m in old)),
    ]


def _uses() -> list[Figure]:
    uses = {"request rate": request_rate, "log lines": log_lines, "scaling": scaling}
    return [Figure(f"{name}: balanced accuracy" if name != "scaling" else "scaling: accuracy",
                   statistics.mean(use(s) for s in range(5)), least=0.9) for name, use in uses.items()]  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main("The tutorials' examples, done right", measure, ("--picture", "", "draw the circles here")))

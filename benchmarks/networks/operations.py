"""Short examples from operations: rate limiting, log lines and scaling."""

from __future__ import annotations

import statistics
from dataclasses import replace

import numpy as np

from benchmarks.networks.examples import QUICK, Array, Split, accuracy, classify, split, train

NORMAL_WORDS = ("GET", "POST", "200", "304", "ok", "user", "login", "cache", "hit", "page", "index", "served", "ms",
                "static")  # fmt: skip
ANOMALOUS_WORDS = ("refused", "timeout", "traceback", "denied", "segfault", "retry", "500", "502", "corrupt")


def rate_limit_accuracy(seed: int) -> float:
    """Classify clients to be limited by rate, burst, share of errors and age; return the balanced accuracy."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.gamma(2, 20, 2000), rng.gamma(1, 10, 2000), rng.beta(1, 8, 2000), rng.random(2000)])
    y = (x[:, 0] + 2 * x[:, 1] * (1 - x[:, 3]) + 200 * x[:, 2] > 90).astype(int)
    return _balanced_accuracy(split(x, y, seed), epochs=60, seed=seed)


def log_line_accuracy(seed: int) -> float:
    """Classify log lines by the counts of hashed words; return the balanced accuracy."""
    rng = np.random.default_rng(seed)

    def word_counts(normal: bool) -> Array:
        words = list(rng.choice(NORMAL_WORDS, 8))
        if not normal:
            words += list(rng.choice(ANOMALOUS_WORDS, rng.integers(1, 4)))
        counts = np.zeros(64)
        for word in words:
            counts[sum(map(ord, word)) * 31 % 64] += 1
        return counts

    y = (rng.random(1500) < 0.2).astype(int)
    x = np.stack([word_counts(label == 0) for label in y])
    return _balanced_accuracy(split(x, y, seed), epochs=30, seed=seed)


def scaling_accuracy(seed: int) -> float:
    """Predict the number of replicas, 1 to 5, by requests, latency and CPU use; return the accuracy."""
    rng = np.random.default_rng(seed)
    requests, cpu_usage = rng.gamma(3, 100, 2000), rng.uniform(0.3, 0.9, 2000)
    replicas = np.clip(np.ceil(requests / 150), 1, 5).astype(int) - 1
    data = split(np.column_stack([requests, 50 / (1 - cpu_usage), cpu_usage]), replicas, seed)
    network, _ = train(data, (16, 8), replace(QUICK, epochs=60), seed)
    return accuracy(network, data.test_x, data.test_y)


def _balanced_accuracy(data: Split, epochs: int, seed: int) -> float:
    """Train a small network and return the mean of its accuracies on both classes."""
    network, _ = train(data, (16,), replace(QUICK, epochs=epochs), seed)
    predicted = classify(network.predict(data.test_x))
    return statistics.mean(float(np.mean(predicted[data.test_y == kind] == kind)) for kind in (0, 1))

"""Peers of the anomaly detector: scores by PCA, k-means and a seasonal mean."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from model.array_types import Floats
from model.units import DAY, HOUR

Peer = Callable[[Floats, Floats, float], tuple[Floats, Floats]]
"""From training rows, test rows and seconds between rows to the scores of both."""


def pca(train: Floats, test: Floats, step: float) -> tuple[Floats, Floats]:  # noqa: ARG001  the interface of the peers
    """Score by the distance in whitened principal components, with a floor on their variance."""
    lags = 32 if train.shape[1] == 1 else 1
    z = _standardized_windows(train, test, lags)
    past = z[: len(train)]
    variance, directions = np.linalg.eigh(np.atleast_2d(np.cov(past.T)))
    scaled = (z - past.mean(axis=0)) @ directions / np.sqrt(np.maximum(variance, 1e-3 * variance[-1] + 1e-9))
    return _split(np.sqrt(np.square(scaled).sum(axis=1)), train)


def kmeans(train: Floats, test: Floats, step: float) -> tuple[Floats, Floats]:  # noqa: ARG001
    """Score by the distance of eight rows (32 of a single metric) to the nearest of 20 centres."""
    from sklearn.cluster import MiniBatchKMeans  # noqa: PLC0415

    z = _standardized_windows(train, test, 32 if train.shape[1] == 1 else 8)
    clusters = MiniBatchKMeans(20, random_state=0, n_init=3, batch_size=2048).fit(z[: len(train)])
    distances: Floats = clusters.transform(z)
    return _split(np.asarray(distances.min(axis=1)), train)


def seasonal(train: Floats, test: Floats, step: float) -> tuple[Floats, Floats]:
    """Score by the mean distance from the mean of the same half hour of the day."""
    z = _standardized_windows(train, test, 1)
    slots = (np.arange(len(z)) * step % DAY // (HOUR / 2)).astype(int)
    profile = np.zeros((48, z.shape[1]))
    for slot in np.unique(slots[: len(train)]):
        profile[slot] = z[: len(train)][slots[: len(train)] == slot].mean(axis=0)
    return _split(np.abs(z - profile[slots]).mean(axis=1), train)


def _standardized_windows(train: Floats, test: Floats, lags: int) -> Floats:
    """Return training and test rows, standardised on the former and capped, each stacked with the rows before it."""
    deviation = train.std(axis=0)
    centred = np.concatenate((train, test)) - train.mean(axis=0)
    z: Floats = np.clip(centred / np.where(deviation > 1e-9, deviation, 1.0), -10, 10)
    rows = np.maximum(np.arange(len(z))[:, None] - np.arange(lags)[::-1], 0)
    windows: Floats = z[rows].reshape(len(z), -1)
    return windows


def _split(scores: Floats, train: Floats) -> tuple[Floats, Floats]:
    """Split scores of all rows into those of the training rows and of the test rows."""
    return scores[: len(train)], scores[len(train) :]


PEERS: dict[str, Peer] = {"PCA": pca, "k-means": kmeans, "seasonal mean": seasonal}

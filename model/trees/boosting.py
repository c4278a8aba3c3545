"""Gradient boosting: fit boosted trees to labels, by histograms of a sample of the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Floats, Integers
from model.trees.boosted_trees import BoostedTrees

MIN_RATE = 1e-3
"""Lower limit of the event rate, and of its complement, for the logit before the first tree."""

BASE_SHARE = 0.2
"""Term of each row's chance to be sampled, in multiples of the mean absolute gradient."""


@dataclass(frozen=True)
class BoostingConfig:
    """Settings of gradient boosting.

    Attributes:
        trees: number of trees for each output; 0 for an ensemble without trees.
        depth: number of levels of a tree.
        learning_rate: factor on the values of the leaves.
        bins: largest number of bins of an input, of about equal numbers of rows.
        sample_rows: expected number of rows from which the structure of a tree is chosen.
        input_share: fraction of the inputs, drawn for each tree, that its levels may compare.
        l2: L2 penalty on the values of the leaves, in units of the sum of p (1 - p) over the rows.
    """

    trees: int = 100
    depth: int = 4
    learning_rate: float = 0.1
    bins: int = 128
    sample_rows: int = 1500
    input_share: float = 0.3
    l2: float = 5.0


def fit_trees(x: Floats, y: Floats, config: BoostingConfig, rng: np.random.Generator) -> BoostedTrees:
    """Fit boosted trees to minimize the binary cross-entropy.

    Args:
        x: (rows, inputs) without NaN.
        y: (rows, outputs) labels, NaN if unknown; each output has a known label.
        config: settings.
        rng: the only source of randomness.
    """
    edges = _bin_edges(x, config.bins)
    bins = np.stack([np.searchsorted(e, column) for e, column in zip(edges, x.T, strict=True)], axis=1)
    fits = []
    for labels in y.T:
        known = ~np.isnan(labels)
        fits.append(_Boosting(bins[known].astype(np.int32), labels[known], config, rng).fit())
    inputs, cuts, values, bias = (np.stack(arrays) for arrays in zip(*fits, strict=True))
    # A cut above the last edge separates nothing.
    table = np.full((x.shape[1], config.bins), np.finfo(np.float32).max, np.float32)
    for row, e in zip(table, edges, strict=True):
        row[: len(e)] = e
    return BoostedTrees(inputs, table[inputs, cuts], values.astype(np.float32), bias.astype(np.float32))


def _bin_edges(x: Floats, bins: int) -> list[Floats]:
    """Return the increasing edges between the bins of each input, at most bins - 1 of its values."""
    positions = (np.linspace(0, 1, bins + 1)[1:-1] * (len(x) - 1)).astype(np.intp)
    return [np.unique(column) for column in np.sort(x, axis=0)[positions].T]


class _Boosting:
    """Boosting of one output.

    Args:
        bins: (rows, inputs) int32 bin of each value.
        y: (rows,) labels, all known.
        config: settings.
        rng: random generator for samples of rows and inputs.
    """

    def __init__(self, bins: Integers, y: Floats, config: BoostingConfig, rng: np.random.Generator) -> None:
        self._bins = bins
        self._y = y
        self._config = config
        self._rng = rng

    def fit(self) -> tuple[Integers, Integers, Floats, float]:
        """Return compared inputs and cuts (trees, depth), values (trees, 2^depth) and the logit before the trees.

        An input is above a cut if its bin has a larger number.
        """
        config = self._config
        inputs = np.empty((config.trees, config.depth), np.intp)
        cuts = np.empty((config.trees, config.depth), np.intp)
        values = np.empty((config.trees, 2**config.depth))
        rate = np.clip(self._y.mean(), MIN_RATE, 1 - MIN_RATE)
        bias = float(np.log(rate / (1 - rate)))
        logits = np.full(len(self._y), bias)
        for tree in range(config.trees):
            p = 1 / (1 + np.exp(-logits))
            gradient = self._y - p
            curvature = p * (1 - p)
            inputs[tree], cuts[tree] = self._choose_structure(gradient, curvature)
            leaves = _leaves(self._bins[:, inputs[tree]] > cuts[tree])
            gradients = np.bincount(leaves, gradient, 2**config.depth)
            curvatures = np.bincount(leaves, curvature, 2**config.depth)
            values[tree] = config.learning_rate * gradients / (curvatures + config.l2)
            logits += values[tree][leaves]
        return inputs, cuts, values, bias

    def _choose_structure(self, gradient: Floats, curvature: Floats) -> tuple[Integers, Integers]:
        """Return the compared input and the cut (depth,) of each level of a tree, chosen greedily."""
        config = self._config
        rows, weights = self._sample(np.abs(gradient))
        count = max(1, round(config.input_share * self._bins.shape[1]))
        candidates = self._rng.choice(self._bins.shape[1], count, replace=False)
        bins = self._bins[np.ix_(rows, candidates)]
        cells = bins + config.bins * np.arange(count, dtype=np.int32)
        gradients = np.repeat(gradient[rows] * weights, count)
        curvatures = np.repeat(curvature[rows] * weights, count)
        chosen = np.empty(config.depth, np.intp)
        cuts = np.empty(config.depth, np.intp)
        leaves = np.zeros(len(rows), np.int32)
        for level in range(config.depth):
            shape = (2**level, count, config.bins)
            positions = (cells + (count * config.bins) * leaves[:, None]).ravel()
            below, below_curvature = (
                np.bincount(positions, terms, np.prod(shape)).reshape(shape).cumsum(axis=2)
                for terms in (gradients, curvatures)
            )
            gains = _gain(below, below_curvature, config.l2)
            gains += _gain(below[..., -1:] - below, below_curvature[..., -1:] - below_curvature, config.l2)
            best = int(gains.sum(axis=0)[:, :-1].argmax())
            chosen[level], cuts[level] = divmod(best, config.bins - 1)
            leaves = 2 * leaves + (bins[:, chosen[level]] > cuts[level])
        return candidates[chosen], cuts

    def _sample(self, importance: Floats) -> tuple[Integers, Floats]:
        """Sample rows with a chance that grows with their importance (rows,); return rows and their weights.

        The weights make weighted sums unbiased (Ibragimov and Gusev 2019).
        """
        importance = importance + BASE_SHARE * importance.mean()
        chance = np.minimum(1, self._config.sample_rows / importance.sum() * importance)
        rows = np.flatnonzero(self._rng.random(len(chance)) < chance)
        return rows, 1 / chance[rows]


def _gain(gradients: Floats, curvatures: Floats, l2: float) -> Floats:
    """Return the decrease of the loss, times two, when a leaf gets its best value."""
    return np.asarray(gradients * gradients / (curvatures + l2))


def _leaves(bits: Integers) -> Integers:
    """Return the leaf numbers (rows,) for the bits (rows, depth) of a tree's comparisons."""
    return np.asarray(bits @ (1 << np.arange(bits.shape[1])[::-1]))

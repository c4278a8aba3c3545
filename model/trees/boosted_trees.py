"""Boosted trees: sums of oblivious decision trees, with exact attributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import factorial

import numpy as np

from model.array_types import Bools, Floats, Integers

CHUNK_ROWS = 512
"""Number of rows predicted at once; it bounds the memory of intermediate arrays."""

MAX_DEPTH = 8
"""Largest number of levels of a tree; attributions take 2^depth steps."""


@dataclass(frozen=True)
class BoostedTrees:
    """Sums of oblivious trees, one sum of trees for each output.

    All nodes of a level of an oblivious tree compare the same input with the same threshold (Prokhorenkova et al.
    2018). The number of a leaf has one bit per level, the first level highest: 1 if the input is above the threshold.

    Attributes:
        inputs: (outputs, trees, depth) position of the compared input.
        thresholds: (outputs, trees, depth) float32.
        values: (outputs, trees, 2^depth) float32 terms of the logit.
        bias: (outputs,) float32 logit before the first tree.
    """

    inputs: Integers
    thresholds: Floats
    values: Floats
    bias: Floats

    @property
    def depth(self) -> int:
        """Number of levels of each tree."""
        return int(self.inputs.shape[2])

    def check(self, inputs: int, outputs: int) -> None:
        """Raise ValueError unless the arrays fit together and to the numbers of inputs and outputs."""
        shape = self.inputs.shape
        if len(shape) != 3 or shape != self.thresholds.shape or self.values.shape != (*shape[:2], 2 ** shape[2]):
            raise ValueError("the arrays of the trees differ in shape")
        if self.depth > MAX_DEPTH:
            raise ValueError(f"trees of {self.depth} levels, more than {MAX_DEPTH}")
        if not shape[0] == len(self.bias) == self.bias.size == outputs:
            raise ValueError(f"the trees do not have {outputs} outputs")
        if not ((self.inputs >= 0) & (self.inputs < inputs)).all():
            raise ValueError(f"the trees do not fit the {inputs} inputs")

    def predict(self, x: Floats) -> Floats:
        """Return the logits (rows, outputs) for inputs (rows, inputs) without NaN; further inputs are ignored."""
        if len(x) <= CHUNK_ROWS:
            return np.asarray(self._terms(self._above(x)).sum(axis=2) + self.bias)
        logits = np.empty((len(x), len(self.bias)), np.float32)
        for start in range(0, len(x), CHUNK_ROWS):
            rows = slice(start, start + CHUNK_ROWS)
            logits[rows] = self.predict(x[rows])
        return logits

    def attribute(self, x: Floats, reference: Floats) -> Floats:
        """Attribute the difference between the logits of two points to the inputs, by Shapley values.

        The players of a tree are its levels: each compares an input of one of the points (Lundberg and Lee 2017).

        Args:
            x: (inputs,) without NaN.
            reference: (inputs,) without NaN.

        Returns:
            (outputs, inputs); each row sums to the difference of one output.
        """
        coalitions = _coalitions(self.depth)
        bits = self._above(np.stack([x, reference])).astype(np.float32)
        # Levels in the coalition see `x`, the others the reference.
        leaves = bits[1, ..., None, :] + (bits[0] - bits[1])[..., None, :] * coalitions
        positions = self._first_leaves[..., None] + (leaves @ self._bit_values).astype(np.intp)
        terms = self.values.take(positions).astype(np.float64)
        by_level = np.empty(self.inputs.shape)
        for level, (without_level, weights) in enumerate(_joining(self.depth)):
            gains = terms[..., without_level + 2**level] - terms[..., without_level]
            by_level[..., level] = gains @ weights
        outputs = len(self.bias)
        cells = self.inputs + len(x) * np.arange(outputs)[:, None, None]
        attributions = np.bincount(cells.ravel(), by_level.ravel(), outputs * len(x))
        return np.asarray(attributions.reshape(outputs, len(x)), np.float64)

    def with_zero_outputs(self, added: int, order: Sequence[int]) -> BoostedTrees:
        """Return trees with `added` outputs of 0 behind their own; `order` then permutes all outputs."""
        positions = list(order)
        padding = ((0, added), (0, 0), (0, 0))
        return BoostedTrees(
            inputs=np.pad(self.inputs, padding)[positions],
            thresholds=np.pad(self.thresholds, padding)[positions],
            values=np.pad(self.values, padding)[positions],
            bias=np.pad(self.bias, (0, added))[positions],
        )

    def _above(self, x: Floats) -> Bools:
        """Return the bits (rows, outputs, trees, depth) of the comparisons for inputs (rows, inputs)."""
        return np.asarray(x.take(self.inputs, axis=1) > self.thresholds)

    def _terms(self, bits: Bools) -> Floats:
        """Return the term (rows, outputs, trees) of each tree for the bits of its comparisons."""
        # A matrix product of floats is faster than sums of integers, and exact for such small numbers.
        leaves = bits.reshape(-1, self.depth).astype(np.float32) @ self._bit_values
        positions = self._first_leaves + leaves.reshape(bits.shape[:-1]).astype(np.intp)
        return np.asarray(self.values.take(positions))

    @cached_property
    def _bit_values(self) -> Floats:
        """Powers of two (depth,), the largest first."""
        return (2 ** np.arange(self.depth)[::-1]).astype(np.float32)

    @cached_property
    def _first_leaves(self) -> Integers:
        """Position (outputs, trees) of the first leaf of each tree in the flat array of values."""
        return np.arange(0, self.values.size, 2**self.depth).reshape(self.values.shape[:2])


@lru_cache
def _coalitions(depth: int) -> Floats:
    """Return the coalitions of levels (2^depth, depth): 1 for a level in the coalition, else 0.

    A coalition has the sum of 2^level over its levels as its number.
    """
    masks = (np.arange(2**depth)[:, None] >> np.arange(depth)) & 1
    return masks.astype(np.float32)


@lru_cache
def _joining(depth: int) -> list[tuple[Integers, Floats]]:
    """Return for each level the numbers of the coalitions without it, and their Shapley weights."""
    masks = _coalitions(depth)
    by_size = np.array([factorial(size) * factorial(depth - size - 1) / factorial(depth) for size in range(depth)])
    sizes = masks.sum(axis=1).astype(np.intp)
    without = [np.flatnonzero(masks[:, level] == 0) for level in range(depth)]
    return [(numbers, by_size[sizes[numbers]]) for numbers in without]

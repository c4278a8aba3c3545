"""Piecewise-linear encoding: codes of scaled features, with which networks learn steps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from model.array_types import Bools, Floats, Integers

ENCODED_INPUTS = 30
"""Number of encoded inputs: those with the highest mutual information with the labels."""

KNOTS = 13
"""Largest number of knots of an encoded input, at evenly spaced quantiles."""

CHUNK_ROWS = 2048
"""Number of rows encoded at once; it bounds the memory of intermediate arrays."""

INFORMATION_BINS = 16
"""Number of bins, of equal numbers of rows, for the mutual information of an input."""


@dataclass(frozen=True)
class Encoding:
    """Codes of scaled inputs x: clip((x - low) / (high - low), 0, 1), one code for each interval between two knots.

    The codes of an input are 1 below x, 0 above x, and fractional in the interval of x (Gorishniy et al. 2022).

    Attributes:
        inputs: (codes,) position of the input of each code.
        low: (codes,) float32 lower knot of each code.
        high: (codes,) float32 upper knot of each code, above `low`.
    """

    inputs: Integers
    low: Floats
    high: Floats

    def __call__(self, x: Floats) -> Floats:
        """Return scaled inputs (rows, inputs) with their codes appended, (rows, inputs + codes)."""
        result = np.empty((len(x), x.shape[1] + len(self.inputs)), x.dtype)
        result[:, : x.shape[1]] = x
        for start in range(0, len(x), CHUNK_ROWS):
            rows = slice(start, start + CHUNK_ROWS)
            codes = result[rows, x.shape[1] :]
            np.subtract(x[rows].take(self.inputs, axis=1), self.low, out=codes)
            np.divide(codes, self._width, out=codes)
            np.minimum(codes, 1, out=codes)
            np.maximum(codes, 0, out=codes)
        return result

    @cached_property
    def _width(self) -> Floats:
        return np.asarray(self.high - self.low)

    def check(self, inputs: int) -> None:
        """Raise ValueError unless the arrays fit together and to the number of inputs."""
        if not (self.inputs.shape == self.low.shape == self.high.shape and self.inputs.ndim == 1):
            raise ValueError("the arrays of the encoding differ in shape")
        if not ((self.inputs >= 0) & (self.inputs < inputs)).all() or not (self.low < self.high).all():
            raise ValueError(f"the encoding does not fit the {inputs} inputs")


def fit_encoding(x: Floats, y: Floats, calm: Bools, candidates: Integers) -> Encoding:
    """Choose the inputs to encode and their knots.

    Args:
        x: (rows, inputs) scaled inputs without NaN.
        y: (rows, outputs) labels, NaN if unknown.
        calm: (rows,) True while load is not high. Only these rows are used, to distinguish onsets.
        candidates: positions of the inputs that may be encoded.
    """
    rows = np.flatnonzero(calm) if calm.any() else np.arange(len(x))
    information = mutual_information(x[np.ix_(rows, candidates)], y[rows])
    chosen = candidates[np.argsort(-information, kind="stable")[:ENCODED_INPUTS]]
    quantiles = np.linspace(0, 1, KNOTS)
    knots = [np.unique(np.quantile(x[rows, i], quantiles).astype(np.float32)) for i in chosen]
    codes = [(i, *pair) for i, points in zip(chosen, knots, strict=True) for pair in pairwise(points)]
    inputs, low, high = zip(*codes, strict=True) if codes else ((), (), ())
    return Encoding(np.array(inputs, np.intp), np.array(low, np.float32), np.array(high, np.float32))


def mutual_information(x: Floats, y: Floats) -> Floats:
    """Return the mutual information (inputs,) of each input with the labels, in nats, summed over the outputs.

    Args:
        x: (rows, inputs) without NaN.
        y: (rows, outputs) labels, NaN if unknown.
    """
    inner = np.linspace(0, 1, INFORMATION_BINS + 1)[1:-1]
    total = np.zeros(x.shape[1])
    for i, column in enumerate(x.T):
        bins = np.searchsorted(np.unique(np.quantile(column, inner)), column, side="right")
        for labels in y.T:
            known = ~np.isnan(labels)
            total[i] += _information(bins[known], labels[known])
    return total


def _information(bins: Integers, labels: Floats) -> float:
    """Return the mutual information of bin numbers (rows,) and labels (rows,) of 0 and 1; 0 if there are no rows."""
    if not len(labels):
        return 0.0
    rows = np.bincount(bins, minlength=INFORMATION_BINS)
    events = np.bincount(bins, weights=labels, minlength=INFORMATION_BINS)
    joint = np.stack([events, rows - events]) / len(labels)
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    cells = joint > 0
    return float((joint[cells] * np.log(joint[cells] / independent[cells])).sum())

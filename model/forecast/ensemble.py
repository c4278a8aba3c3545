"""Several networks that look at different things; what they say is the mean of their logits.

One network over everything takes chance for a rhythm where a host has none. Some that see the recent past alone, and
some that see yesterday or the last days beside it, err differently, and their mean errs less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats, Integers
from model.nn.layers import Linear
from model.nn.network import Network

KNEE = 4.0
"""Scaled inputs are squashed beyond about this many deviations."""


@dataclass(frozen=True)
class Scaler:
    """Centre and spread of each feature, (features,) float32."""

    mean: Floats
    deviation: Floats

    def __call__(self, x: Floats) -> Floats:
        """(rows, features) to squashed deviations; missing becomes 0, the centre.

        z / sqrt(1 + (z / 4)^2): a value never seen in training moves the network by at most 4 deviations.
        """
        z = (x - self.mean) / self.deviation
        z[np.isnan(z)] = 0
        return np.asarray(z / np.sqrt(1 + np.square(z / np.float32(KNEE))))


def fit_scaler(x: Floats) -> Scaler:
    """Mean and deviation of each column of (rows, features), leaving NaN out.

    The deviation has a floor: a feature that hardly moved in training would turn the first live value off its
    mean into thousands of deviations.
    """
    known = ~np.isnan(x)
    count = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, x, 0).astype(np.float64)
    mean = filled.sum(axis=0) / count
    variance = (np.where(known, filled - mean, 0) ** 2).sum(axis=0) / count
    deviation = np.maximum(np.sqrt(variance), 1e-3 * (1 + np.abs(mean)))
    return Scaler(mean.astype(np.float32), deviation.astype(np.float32))


@dataclass(frozen=True)
class Ensemble:
    """Networks, the scaler of their inputs, and for each network the numbers of the inputs that it sees.

    The inputs are the features, or those that `picked` numbers, which may name one more than once.
    """

    scaler: Scaler
    networks: tuple[Network, ...]
    columns: tuple[Integers, ...]
    picked: Integers | None = None

    def predict(self, x: Floats) -> Floats:
        """Features (rows, features) to mean logits (rows, outputs)."""
        logits = [network.predict(part) for network, part in self._parts(self.scaler(self._inputs(x)))]
        total = logits[0]
        for more in logits[1:]:
            total = total + more
        return np.asarray(total / len(logits))

    def attribute(self, x: Floats, reference: Floats) -> Floats:
        """Each feature's share (outputs, features) in the mean logits' move between two points (features,)."""
        here, there = self.scaler(self._inputs(np.stack([x, reference])))
        shares = np.zeros((len(x), self.networks[0].parameters()[self.networks[0].names[-1]].size))
        for network, columns in zip(self.networks, self.columns, strict=True):
            places = columns if self.picked is None else self.picked[columns]
            # one feature may be seen in two places
            np.add.at(shares, places, network.attribute(here[columns], there[columns]).T)
        return np.asarray(shares.T / len(self.networks))

    def centre(self, features: int) -> Floats:
        """(features,) the centre of what it has learned from; 0 where it does not look."""
        if self.picked is None:
            return self.scaler.mean
        found = np.zeros(features, np.float32)
        found[self.picked] = self.scaler.mean
        return found

    def fused(self) -> Ensemble:
        """The same as one network, which answers for one moment several times faster: a call costs more than a sum.

        Its layers are those of all side by side, with zeros where one does not see the units of another. Where the
        networks are not of one kind it stays as it is.
        """
        kinds = {tuple(type(layer) for layer in network.layers) for network in self.networks}
        dense = [i for i, layer in enumerate(self.networks[0].layers) if isinstance(layer, Linear)]
        if len(kinds) != 1 or len(dense) < 2:
            return self
        inputs, layers = len(self.scaler.mean), []
        for i, side_by_side in enumerate(zip(*(network.layers for network in self.networks), strict=True)):
            parts = [layer for layer in side_by_side if isinstance(layer, Linear)]
            if not parts:
                layers.append(side_by_side[0])
            elif i == dense[0]:
                layers.append(_first(parts, self.columns, inputs))
            else:
                layers.append(_last(parts) if i == dense[-1] else _block(parts))
        return Ensemble(self.scaler, (Network(layers),), (np.arange(inputs),), self.picked)

    def _inputs(self, x: Floats) -> Floats:
        return x if self.picked is None else x[:, self.picked]

    def _parts(self, x: Floats) -> Iterator[tuple[Network, Floats]]:
        for network, columns in zip(self.networks, self.columns, strict=True):
            yield network, x if len(columns) == x.shape[1] else x[:, columns]


def _first(parts: Sequence[Linear], columns: Sequence[Integers], inputs: int) -> Linear:
    """Each over its own inputs."""
    placed = []
    for part, seen in zip(parts, columns, strict=True):
        weight = np.zeros((inputs, part.weight.shape[1]), part.weight.dtype)
        weight[seen] = part.weight
        placed.append(weight)
    return Linear(np.concatenate(placed, axis=1), np.concatenate([part.bias for part in parts]))


def _block(parts: Sequence[Linear]) -> Linear:
    """Each over the units of its own network."""
    rows, columns = np.cumsum([[0, 0], *(part.weight.shape for part in parts)], axis=0).T
    weight = np.zeros((rows[-1], columns[-1]), parts[0].weight.dtype)
    for i, part in enumerate(parts):
        weight[rows[i] : rows[i + 1], columns[i] : columns[i + 1]] = part.weight
    return Linear(weight, np.concatenate([part.bias for part in parts]))


def _last(parts: Sequence[Linear]) -> Linear:
    """Their mean."""
    weight = np.concatenate([part.weight for part in parts]) / np.float32(len(parts))
    return Linear(weight, np.mean([part.bias for part in parts], axis=0).astype(weight.dtype))

"""Fused ensemble: networks merged by kind, with predictions independent of the batch size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats, Integers
from model.forecast.ensemble import Ensemble
from model.nn.activations import LeakyReLU, ReLU
from model.nn.layers import Dropout, Layer, Linear
from model.nn.network import Network

EXACT_LAYERS = (ReLU, LeakyReLU, Dropout)
"""Layers whose result for a row is bit-identical in a batch of any size."""

CHUNK_ROWS = 512
"""Largest number of rows predicted at once, so that activations stay in the processor's cache."""


@dataclass(frozen=True)
class FusedEnsemble(Ensemble):
    """Ensemble for serving, whose predictions are bit-identical for any batch size.

    One NumPy call multiplies all rows, each as a matrix of one row. A single matrix product would round differently
    for different numbers of rows.

    Attributes:
        merged: number of networks that the networks of this ensemble return the logits of.
    """

    merged: int = 1

    @property
    def members(self) -> int:
        """Number of members of the mean."""
        return self.merged + (self.trees is not None)

    def predict(self, x: Floats) -> Floats:
        """Return the logits (rows, outputs) of the mean over the members, for features (rows, features)."""
        if len(x) > CHUNK_ROWS:
            chunks = [x[start : start + CHUNK_ROWS] for start in range(0, len(x), CHUNK_ROWS)]
            return np.concatenate([self.predict(chunk) for chunk in chunks])
        return super().predict(x)

    def _network_logits(self, network: Network, x: Floats) -> Floats:
        """Return the outputs (rows, outputs) of a network for inputs (rows, inputs), each row computed separately."""
        # Selected columns are not contiguous in memory; NumPy multiplies such arrays with another algorithm.
        x = np.ascontiguousarray(x)
        for layer in network.layers:
            # `isinstance` is several times slower for classes with an abstract base class.
            if type(layer) is Linear:
                # For a single row, the product of two dimensions is the same call, without the views around it.
                x = x @ layer.weight if len(x) == 1 else np.matmul(x[:, None, :], layer.weight)[:, 0]
                np.add(x, layer.bias, out=x)
            elif type(layer) in EXACT_LAYERS or len(x) == 1:
                x = layer.apply(x)
            else:
                x = np.concatenate([layer.apply(x[row : row + 1]) for row in range(len(x))])
        return x


def fuse(ensemble: Ensemble) -> FusedEnsemble:
    """Merge the networks of each kind into one network, which is several times faster for a single sample.

    Plain networks are merged into one network over the inputs, encoded networks into one over inputs and codes.
    Hidden layers become block-diagonal: the weights between units of different networks are 0. Networks with
    different layer types, or with fewer than two Linear layers, are not merged. A network merged from all networks
    of a mean of logits returns that mean.
    """
    if isinstance(ensemble, FusedEnsemble):
        return ensemble
    inputs = len(ensemble.scaler.mean)
    plain = [i for i, columns in enumerate(ensemble.columns) if columns.max(initial=0) < inputs]
    encoded = [i for i in range(len(ensemble.networks)) if i not in plain]
    averaged = not encoded and not ensemble.mean_of_probabilities and _mergeable(ensemble.networks)
    networks: list[Network] = []
    columns: list[Integers] = []
    for kind, width in ((plain, inputs), (encoded, _width(ensemble))):
        parts = [ensemble.networks[i] for i in kind]
        positions = [ensemble.columns[i] for i in kind]
        if parts and _mergeable(parts):
            parts = [_merge(parts, positions, width, _merge_last if averaged else _merge_hidden)]
            positions = [np.arange(width)]
        networks += parts
        columns += positions
    return FusedEnsemble(
        scaler=ensemble.scaler,
        networks=tuple(networks),
        columns=tuple(columns),
        selected=ensemble.selected,
        encoding=ensemble.encoding,
        mean_of_probabilities=ensemble.mean_of_probabilities,
        trees=ensemble.trees,
        merged=1 if averaged else len(ensemble.networks),
    )


def _width(ensemble: Ensemble) -> int:
    """Return the number of inputs and codes of an ensemble."""
    return len(ensemble.scaler.mean) + (0 if ensemble.encoding is None else len(ensemble.encoding.inputs))


def _mergeable(networks: Sequence[Network]) -> bool:
    """Return True if all networks have the same sequence of layer types, with at least two Linear layers."""
    kinds = {tuple(type(layer) for layer in network.layers) for network in networks}
    return len(kinds) == 1 and kinds.pop().count(Linear) >= 2


def _merge(
    networks: Sequence[Network],
    columns: Sequence[Integers],
    inputs: int,
    merge_last: Callable[[Sequence[Linear]], Linear],
) -> Network:
    """Merge networks into one over all inputs.

    Args:
        networks: networks with equal layer types.
        columns: input positions of each network.
        inputs: number of inputs of the merged network.
        merge_last: function that merges the last layers.
    """
    layers: list[Layer] = list(networks[0].layers)
    linear = [i for i, layer in enumerate(layers) if isinstance(layer, Linear)]
    for i in linear:
        parts = [layer for network in networks if isinstance(layer := network.layers[i], Linear)]
        if i == linear[0]:
            layers[i] = _merge_first(parts, columns, inputs)
        elif i == linear[-1]:
            layers[i] = merge_last(parts)
        else:
            layers[i] = _merge_hidden(parts)
    return Network(layers)


def _merge_first(parts: Sequence[Linear], columns: Sequence[Integers], inputs: int) -> Linear:
    """Merge first layers into one layer over all inputs; `columns` holds the input positions of each network."""
    weights = []
    for part, positions in zip(parts, columns, strict=True):
        weight = np.zeros((inputs, part.weight.shape[1]), part.weight.dtype)
        weight[positions] = part.weight
        weights.append(weight)
    return Linear(np.concatenate(weights, axis=1), np.concatenate([part.bias for part in parts]))


def _merge_hidden(parts: Sequence[Linear]) -> Linear:
    """Merge layers into one block-diagonal layer."""
    rows, columns = np.cumsum([[0, 0], *(part.weight.shape for part in parts)], axis=0).T
    weight = np.zeros((rows[-1], columns[-1]), parts[0].weight.dtype)
    for i, part in enumerate(parts):
        weight[rows[i] : rows[i + 1], columns[i] : columns[i + 1]] = part.weight
    return Linear(weight, np.concatenate([part.bias for part in parts]))


def _merge_last(parts: Sequence[Linear]) -> Linear:
    """Merge last layers into one layer that averages the outputs of the networks."""
    weight = np.concatenate([part.weight for part in parts]) / np.float32(len(parts))
    return Linear(weight, np.mean([part.bias for part in parts], axis=0).astype(weight.dtype))

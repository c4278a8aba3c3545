"""Fused ensemble: an ensemble merged into one network, with predictions independent of the batch size."""

from __future__ import annotations

from collections.abc import Sequence

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


class FusedEnsemble(Ensemble):
    """Ensemble for serving, whose predictions are bit-identical for any batch size.

    One NumPy call multiplies all rows, each as a matrix of one row. A single matrix product would round differently
    for different numbers of rows.
    """

    def predict(self, x: Floats) -> Floats:
        """Return the logits (rows, outputs), averaged over the networks, for features (rows, features)."""
        if len(x) > CHUNK_ROWS:
            chunks = [x[start : start + CHUNK_ROWS] for start in range(0, len(x), CHUNK_ROWS)]
            return np.concatenate([self.predict(chunk) for chunk in chunks])
        logits = [_apply_rowwise(network, part) for network, part in self._network_inputs(x)]
        total = logits[0]
        for other in logits[1:]:
            total = total + other
        return np.asarray(total / len(logits))


def _apply_rowwise(network: Network, x: Floats) -> Floats:
    """Return the outputs (rows, outputs) of a network for inputs (rows, inputs), each row computed separately."""
    # Selected columns are not contiguous in memory; NumPy multiplies such arrays with another algorithm.
    x = np.ascontiguousarray(x)
    for layer in network.layers:
        if isinstance(layer, Linear):
            x = np.matmul(x[:, None, :], layer.weight)[:, 0]
            np.add(x, layer.bias, out=x)
        elif isinstance(layer, EXACT_LAYERS) or len(x) == 1:
            x = layer.apply(x)
        else:
            x = np.concatenate([layer.apply(x[row : row + 1]) for row in range(len(x))])
    return x


def fuse(ensemble: Ensemble) -> FusedEnsemble:
    """Merge the networks of an ensemble into one network, which is several times faster for a single sample.

    Hidden layers become block-diagonal: the weights between units of different networks are 0. Networks with
    different layer types, or with fewer than two Linear layers, are not merged.
    """
    networks = ensemble.networks
    linear = [i for i, layer in enumerate(networks[0].layers) if isinstance(layer, Linear)]
    if len(linear) < 2 or not _same_kinds(networks):
        return FusedEnsemble(ensemble.scaler, networks, ensemble.columns, ensemble.selected)
    inputs = len(ensemble.scaler.mean)
    layers: list[Layer] = list(networks[0].layers)
    for i in linear:
        parts = [layer for network in networks if isinstance(layer := network.layers[i], Linear)]
        if i == linear[0]:
            layers[i] = _merge_first(parts, ensemble.columns, inputs)
        elif i == linear[-1]:
            layers[i] = _merge_last(parts)
        else:
            layers[i] = _merge_hidden(parts)
    return FusedEnsemble(ensemble.scaler, (Network(layers),), (np.arange(inputs),), ensemble.selected)


def _same_kinds(networks: Sequence[Network]) -> bool:
    """Return True if all networks have the same sequence of layer types."""
    return len({tuple(type(layer) for layer in network.layers) for network in networks}) == 1


def _merge_first(parts: Sequence[Linear], columns: Sequence[Integers], inputs: int) -> Linear:
    """Merge first layers into one layer over all inputs; `columns` holds the input positions of each network."""
    weights = []
    for part, positions in zip(parts, columns, strict=True):
        weight = np.zeros((inputs, part.weight.shape[1]), part.weight.dtype)
        weight[positions] = part.weight
        weights.append(weight)
    return Linear(np.concatenate(weights, axis=1), np.concatenate([part.bias for part in parts]))


def _merge_hidden(parts: Sequence[Linear]) -> Linear:
    """Merge hidden layers into one block-diagonal layer."""
    rows, columns = np.cumsum([[0, 0], *(part.weight.shape for part in parts)], axis=0).T
    weight = np.zeros((rows[-1], columns[-1]), parts[0].weight.dtype)
    for i, part in enumerate(parts):
        weight[rows[i] : rows[i + 1], columns[i] : columns[i + 1]] = part.weight
    return Linear(weight, np.concatenate([part.bias for part in parts]))


def _merge_last(parts: Sequence[Linear]) -> Linear:
    """Merge last layers into one layer that averages the outputs of the networks."""
    weight = np.concatenate([part.weight for part in parts]) / np.float32(len(parts))
    return Linear(weight, np.mean([part.bias for part in parts], axis=0).astype(weight.dtype))

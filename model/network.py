"""A network is a tuple of layers, and all its parameters are views into one flat vector.

Layers stay values that can be read alone; optimizer, clipping and gradient health see a single array.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from model.arrays import Floats
from model.initializers import he_normal, xavier_normal
from model.layers import Dropout, Gradients, Layer, Linear, ReLU


class Network:
    """Layers applied one after the other; parameters are named "<layer>.<name>", e.g. "0.weight"."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        named = {f"{i}.{k}": v for i, layer in enumerate(layers) for k, v in layer.parameters().items()}
        dtype = next(iter(named.values())).dtype if named else np.dtype(np.float32)
        self.names: tuple[str, ...] = tuple(named)
        self.offsets = np.cumsum([0, *(v.size for v in named.values())])
        self.flat: Floats = np.empty(int(self.offsets[-1]), dtype)
        views: dict[str, Floats] = {}
        for start, (name, value) in zip(self.offsets[:-1], named.items(), strict=True):
            views[name] = self.flat[start : start + value.size].reshape(value.shape)
            views[name][...] = value
        self.layers: tuple[Layer, ...] = tuple(
            layer.with_parameters({k: views[f"{i}.{k}"] for k in layer.parameters()})
            for i, layer in enumerate(layers)
        )

    def parameters(self) -> dict[str, Floats]:
        """Every learned array by name, as views into `flat`."""
        return {f"{i}.{k}": v for i, layer in enumerate(self.layers) for k, v in layer.parameters().items()}

    def predict(self, x: Floats) -> Floats:
        """(rows, inputs) to logits (rows, outputs). Writes nothing: safe from any thread."""
        for layer in self.layers:
            x, _ = layer.forward(x)
        return x

    def forward(self, x: Floats, rng: np.random.Generator | None = None) -> tuple[Floats, list[Any]]:
        """(rows, inputs) to (logits (rows, outputs), one cache a layer); a generator means training."""
        caches = []
        for layer in self.layers:
            x, cache = layer.forward(x, rng)
            caches.append(cache)
        return x, caches

    def backward(self, grad: Floats, caches: list[Any]) -> Gradients:
        """dL/d(logits) to dL/d(parameter) by name (the chain rule, last layer first)."""
        gradients: Gradients = {}
        for i in reversed(range(len(self.layers))):
            grad, own = self.layers[i].backward(grad, caches[i])
            gradients |= {f"{i}.{name}": value for name, value in own.items()}
        return gradients

    def flat_gradient(self, grad: Floats, caches: list[Any]) -> Floats:
        """`backward` as one vector in the order of `flat`."""
        gradients = self.backward(grad, caches)
        return np.concatenate([gradients[name].ravel() for name in self.names])

    def attribute(self, x: Floats, reference: Floats) -> Floats:
        """Each input's share in f(x) - f(reference); the shares of an output add up to that difference.

        DeepLIFT with the rescale rule (Shrikumar et al. 2017): one backward pass in which each activation's
        derivative is replaced by its slope between the two points.

        Args:
            x: (inputs,).
            reference: (inputs,), what the shares are counted from.

        Returns:
            (outputs, inputs).
        """
        logits, caches = self.forward(x[None, :])
        _, references = self.forward(reference[None, :])
        multiplier = np.eye(logits.shape[1], dtype=logits.dtype)
        for layer, cache, other in zip(reversed(self.layers), reversed(caches), reversed(references), strict=True):
            multiplier = layer.multiplier(multiplier, cache, other)
        return np.asarray(multiplier * (x - reference))


def mlp(
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    dropout: float = 0.0,
    dtype: type[np.floating[Any]] = np.float32,
) -> Network:
    """A multilayer perceptron: ReLU (and dropout) between linear layers, logits at the end.

    Args:
        sizes: inputs, hidden units..., outputs.
        rng: where the starting weights come from.
        dropout: share of the hidden units left out at each training step.
        dtype: of the parameters.
    """
    layers: list[Layer] = []
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        last = i == len(sizes) - 2
        weight = (xavier_normal if last else he_normal)(fan_in, fan_out, rng).astype(dtype)
        layers.append(Linear(weight, np.zeros(fan_out, dtype)))
        if not last:
            layers.append(ReLU())
            if dropout:
                layers.append(Dropout(dropout))
    return Network(layers)

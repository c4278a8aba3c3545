"""Feed-forward network: a sequence of layers over one flat parameter vector."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from model.array_types import Floats, aligned_zeros
from model.nn.activations import ACTIVATIONS
from model.nn.initializers import INITIALIZERS
from model.nn.layers import Dropout, Gradients, Layer, Linear

CHUNK_ROWS = 1024
"""Rows per prediction pass: keeps the activations in the processor's cache and bounds the memory."""


class Network:
    """Layers applied in sequence.

    All parameters are views into one vector, on which optimizer, clipping and gradient statistics operate. They are
    named "<layer>.<name>", e.g. "0.weight".

    Attributes:
        layers: layers, whose parameters are views into `flat`.
        names: names of the parameters, in order of the layers.
        flat: (parameters,) all weights, followed by all biases.
        weight_count: number of weights; penalties and weight decay apply to `flat[:weight_count]`, not to biases.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        parameters = _named_parameters(layers)
        sizes = {name: value.size for name, value in parameters.items()}
        dtype = next((value.dtype for value in parameters.values()), np.dtype(np.float32))
        self.names: tuple[str, ...] = tuple(parameters)
        self._slices = _slices(sizes)
        self._shapes = {name: value.shape for name, value in parameters.items()}
        self.weight_count: int = sum(size for name, size in sizes.items() if _is_weight(name))
        self.flat: Floats = aligned_zeros(sum(sizes.values()), dtype)
        views = self.views(self.flat)
        for name, value in parameters.items():
            views[name][...] = value
        self.layers: tuple[Layer, ...] = tuple(
            layer.with_parameters({name: views[f"{i}.{name}"] for name in layer.parameters()})
            for i, layer in enumerate(layers)
        )

    def views(self, flat: Floats) -> dict[str, Floats]:
        """Return views into a vector of the layout of `flat` by parameter name, in order of the layers."""
        return {name: flat[self._slices[name]].reshape(self._shapes[name]) for name in self.names}

    def parameter_slice(self, name: str) -> slice:
        """Return the position of a parameter in `flat`."""
        return self._slices[name]

    def parameters(self) -> dict[str, Floats]:
        """Return the parameters by name as views into `flat`."""
        return self.views(self.flat)

    def layer_widths(self, inputs: int) -> list[int]:
        """Return the number of outputs of each layer for a number of inputs.

        Raises:
            ValueError: a layer does not accept the outputs of the layer before it.
        """
        widths = []
        for i, layer in enumerate(self.layers):
            try:
                inputs = layer.output_width(inputs)
            except ValueError as error:
                raise ValueError(f"layer {i} {error}") from error
            widths.append(inputs)
        return widths

    def predict(self, x: Floats) -> Floats:
        """Return logits (rows, outputs) for inputs (rows, inputs); safe to call from several threads."""
        if len(x) == 1:
            # NumPy adds a vector to a vector faster than to a matrix of one row.
            return self._apply(x[0])[None]
        if len(x) <= CHUNK_ROWS:
            return self._apply(x)
        first = self.predict(x[:CHUNK_ROWS])
        logits = np.empty((len(x), *first.shape[1:]), first.dtype)
        logits[:CHUNK_ROWS] = first
        for start in range(CHUNK_ROWS, len(x), CHUNK_ROWS):
            logits[start : start + CHUNK_ROWS] = self.predict(x[start : start + CHUNK_ROWS])
        return logits

    def _apply(self, x: Floats) -> Floats:
        for layer in self.layers:
            x = layer.apply(x)
        return x

    def forward(self, x: Floats, rng: np.random.Generator | None = None) -> tuple[Floats, list[Any]]:
        """Return logits (rows, outputs) and one cache per layer.

        Args:
            x: (rows, inputs).
            rng: randomness of layers such as dropout while training; None for prediction.
        """
        caches = []
        for layer in self.layers:
            x, cache = layer.forward(x, rng)
            caches.append(cache)
        return x, caches

    def backward(self, grad: Floats, caches: Sequence[Any]) -> tuple[Floats, Gradients]:
        """Return dL/d(input) (rows, inputs), and dL/d(parameter) by name, by backpropagation.

        Args:
            grad: dL/d(logits), (rows, outputs).
            caches: caches of the forward pass.
        """
        gradients: Gradients = {}
        for i in reversed(range(len(self.layers))):
            grad, layer_gradients = self.layers[i].backward(grad, caches[i])
            gradients |= {f"{i}.{name}": value for name, value in layer_gradients.items()}
        return grad, gradients

    def attribute(self, x: Floats, reference: Floats) -> Floats:
        """Attribute f(x) - f(reference) to the inputs; the attributions of an output add up to that difference.

        DeepLIFT with the rescale rule (Shrikumar et al. 2017): one backward pass in which each activation's
        derivative is replaced by its slope between the two points.

        Args:
            x: (inputs,).
            reference: (inputs,).

        Returns:
            (outputs, inputs).
        """
        point, base = x[None, :], reference[None, :]
        layer_inputs = []
        for layer in self.layers:
            layer_inputs.append((point, base))
            point, base = layer.apply(point), layer.apply(base)
        slope = np.eye(point.shape[1], dtype=point.dtype)
        for layer, (point, base) in zip(reversed(self.layers), reversed(layer_inputs), strict=True):
            slope = layer.rescale_gradient(slope, point, base)
        return np.asarray(slope * (x - reference))


def _named_parameters(layers: Sequence[Layer]) -> dict[str, Floats]:
    return {f"{i}.{name}": value for i, layer in enumerate(layers) for name, value in layer.parameters().items()}


def _is_weight(name: str) -> bool:
    return name.endswith(".weight")


def _slices(sizes: dict[str, int]) -> dict[str, slice]:
    """Return the position of each parameter in the flat vector: weights first, in order of the layers."""
    order = sorted(sizes, key=lambda name: not _is_weight(name))
    stops = list(itertools.accumulate(sizes[name] for name in order))
    return {name: slice(stop - sizes[name], stop) for name, stop in zip(order, stops, strict=True)}


def mlp(
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    activation: str = "relu",
    dropout: float = 0.0,
    initializer: str | None = None,
    dtype: type[np.floating[Any]] = np.float32,
) -> Network:
    """Build a multilayer perceptron: linear layers, each but the last followed by activation and dropout.

    Args:
        sizes: number of inputs, of units of each hidden layer, and of outputs.
        rng: randomness of the initial weights.
        activation: name in ACTIVATIONS.
        dropout: probability of zeroing a hidden unit at a training step.
        initializer: name in INITIALIZERS for all layers; None for He before ReLUs and Xavier elsewhere.
        dtype: dtype of the parameters, float32 or float64.

    Raises:
        ValueError: fewer than two sizes or a size below 1, an unknown name, a rate or dtype out of range.
    """
    _check_mlp(sizes, activation, initializer, dtype)
    hidden_initializer = initializer or ("he_normal" if activation.endswith("relu") else "xavier_normal")
    output_initializer = initializer or "xavier_normal"
    layers: list[Layer] = []
    for fan_in, fan_out in itertools.pairwise(sizes[:-1]):
        layers.append(_linear(fan_in, fan_out, hidden_initializer, dtype, rng))
        layers.append(ACTIVATIONS[activation]())
        if dropout:
            layers.append(Dropout(dropout))
    layers.append(_linear(sizes[-2], sizes[-1], output_initializer, dtype, rng))
    return Network(layers)


def _linear(
    fan_in: int, fan_out: int, initializer: str, dtype: type[np.floating[Any]], rng: np.random.Generator
) -> Linear:
    weight = INITIALIZERS[initializer](fan_in, fan_out, rng).astype(dtype)
    return Linear(weight, np.zeros(fan_out, dtype))


def _check_mlp(sizes: Sequence[int], activation: str, initializer: str | None, dtype: type[np.floating[Any]]) -> None:
    """Raise ValueError for invalid arguments of `mlp`."""
    if activation not in ACTIVATIONS:
        raise ValueError(f"unknown activation {activation!r}; one of {', '.join(ACTIVATIONS)}")
    if initializer is not None and initializer not in INITIALIZERS:
        raise ValueError(f"unknown initializer {initializer!r}; one of {', '.join(INITIALIZERS)}")
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64, not {dtype}")
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes must be inputs, hidden units and outputs of at least 1, not {tuple(sizes)}")

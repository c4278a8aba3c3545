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
"""Largest number of rows per prediction pass: its activations fit the processor's cache."""


class Network:
    """Feed-forward network: a sequence of layers whose parameters share one vector.

    A parameter is named "<layer>.<name>", e.g. "0.weight". The parameter arrays of the layers are views into one
    vector, on which the optimizer, gradient clipping and gradient statistics operate.

    Attributes:
        layers: the given layers, with parameters that are views into `flat`.
        names: parameter names, in the order of the layers.
        flat: (parameters,) all weights, followed by all biases and other parameters.
        weight_count: number of weights. Penalties and weight decay apply to `flat[:weight_count]` only.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        parameters = _named_parameters(layers)
        sizes = {name: value.size for name, value in parameters.items()}
        dtype = next((value.dtype for value in parameters.values()), np.dtype(np.float32))
        self.names: tuple[str, ...] = tuple(parameters)
        self._slices = _slices(sizes)
        self._shapes = {name: value.shape for name, value in parameters.items()}
        self.weight_count: int = sum(size for name, size in sizes.items() if is_weight(name))
        self.flat: Floats = aligned_zeros(sum(sizes.values()), dtype)
        views = self.views(self.flat)
        for name, value in parameters.items():
            views[name][...] = value
        self.layers: tuple[Layer, ...] = tuple(
            layer.with_parameters({name: views[f"{i}.{name}"] for name in layer.parameters()})
            for i, layer in enumerate(layers)
        )

    def views(self, flat: Floats) -> dict[str, Floats]:
        """Split a vector into one view per parameter; return the views by name, in the order of the layers.

        Args:
            flat: vector with the layout of `Network.flat`, e.g. the gradient of the loss.
        """
        return {name: flat[self._slices[name]].reshape(self._shapes[name]) for name in self.names}

    def parameter_slice(self, name: str) -> slice:
        """Return the slice of `flat` that holds a parameter."""
        return self._slices[name]

    def parameters(self) -> dict[str, Floats]:
        """Return the parameters by name as views into `flat`."""
        return self.views(self.flat)

    def layer_widths(self, inputs: int) -> list[int]:
        """Return the number of outputs of each layer.

        Args:
            inputs: number of inputs of the first layer.

        Raises:
            ValueError: a layer does not accept the number of outputs of the layer before it.
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
        """Return logits (rows, outputs) for inputs (rows, inputs); thread-safe."""
        if len(x) == 1:
            # NumPy adds biases to a vector faster than to a matrix with one row.
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
        """Return logits (rows, outputs) and one cache per layer for `backward`.

        Args:
            x: (rows, inputs).
            rng: random generator for layers such as dropout in training; None for prediction.
        """
        caches = []
        for layer in self.layers:
            x, cache = layer.forward(x, rng)
            caches.append(cache)
        return x, caches

    def backward(self, logit_gradient: Floats, caches: Sequence[Any]) -> tuple[Floats, Gradients]:
        """Backpropagate: return dL/d(input) (rows, inputs), and dL/d(parameter) by name.

        Args:
            logit_gradient: dL/d(logits), (rows, outputs).
            caches: caches from `forward`.
        """
        gradient = logit_gradient
        gradients: Gradients = {}
        for i in reversed(range(len(self.layers))):
            gradient, layer_gradients = self.layers[i].backward(gradient, caches[i])
            gradients |= {f"{i}.{name}": value for name, value in layer_gradients.items()}
        return gradient, gradients

    def attribute(self, x: Floats, reference: Floats) -> Floats:
        """Attribute the logit differences between an input and a reference to the elements of the input.

        DeepLIFT with the rescale rule (Shrikumar et al. 2017): a backward pass with secant slopes in place of
        derivatives. The attributions of an output add up to the logit difference of that output.

        Args:
            x: (inputs,) input to explain.
            reference: (inputs,) input that `x` is compared with.

        Returns:
            Attributions (outputs, inputs).
        """
        point, base = x[None, :], reference[None, :]
        layer_inputs = []
        for layer in self.layers:
            layer_inputs.append((point, base))
            point, base = layer.apply(point), layer.apply(base)
        multipliers = np.eye(point.shape[1], dtype=point.dtype)
        for layer, (point, base) in zip(reversed(self.layers), reversed(layer_inputs), strict=True):
            multipliers = layer.rescale_multipliers(multipliers, point, base)
        return np.asarray(multipliers * (x - reference))


def _named_parameters(layers: Sequence[Layer]) -> dict[str, Floats]:
    return {f"{i}.{name}": value for i, layer in enumerate(layers) for name, value in layer.parameters().items()}


def is_weight(name: str) -> bool:
    """Return True for the name of a weight, e.g. "0.weight"; penalties and weight decay apply to weights only."""
    return name.endswith(".weight")


def _slices(sizes: dict[str, int]) -> dict[str, slice]:
    """Return the slice of the flat vector for each parameter: weights first, otherwise in the given order."""
    order = sorted(sizes, key=lambda name: not is_weight(name))
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
    """Build a multilayer perceptron: linear layers, each except the last followed by activation and dropout.

    Args:
        sizes: number of inputs, number of units of each hidden layer, number of outputs.
        rng: random generator for the initial weights.
        activation: name in ACTIVATIONS.
        dropout: probability that a hidden unit is zeroed in a training step; 0 omits the dropout layers.
        initializer: name in INITIALIZERS for all layers; None selects "he_normal" for layers before a ReLU or
            LeakyReLU and "xavier_normal" for all others.
        dtype: dtype of the parameters, float32 or float64.

    Raises:
        ValueError: fewer than two sizes, a size below 1, an unknown name, an invalid dropout rate or dtype.
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

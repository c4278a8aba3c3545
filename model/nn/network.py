"""A network is a tuple of layers, and all its parameters are views into one flat vector.

Layers stay values that can be read alone; optimizer, clipping and gradient health see a single array.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from model.array_types import Floats, aligned_zeros
from model.nn.activations import ACTIVATIONS
from model.nn.compiled_step import Run, call
from model.nn.initializers import INITIALIZERS
from model.nn.layers import Dropout, Gradients, Layer, Linear

CHUNK_ROWS = 1024
"""Rows predicted at once: their activations stay in the processor's cache, and memory is bounded whatever comes."""


class Network:
    """Layers applied one after the other; parameters are named "<layer>.<name>", e.g. "0.weight".

    Attributes:
        layers: their arrays are views into `flat`.
        names: of the parameters, in order of the layers.
        flat: (parameters,) all of them, the weights before the biases.
        penalised: how many of the first numbers in `flat` are weights: penalties and decay spare the biases.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        named = {f"{i}.{k}": v for i, layer in enumerate(layers) for k, v in layer.parameters().items()}
        dtype = next(iter(named.values())).dtype if named else np.dtype(np.float32)
        self.names: tuple[str, ...] = tuple(named)
        order = sorted(named, key=lambda name: not name.endswith(".weight"))
        ends = np.cumsum([named[name].size for name in order], dtype=int).tolist()
        self._places = {
            name: (slice(end - named[name].size, end), named[name].shape)
            for name, end in zip(order, ends, strict=True)
        }
        self.weight_count: int = sum(value.size for name, value in named.items() if name.endswith(".weight"))
        self.flat: Floats = aligned_zeros(ends[-1] if ends else 0, dtype)
        views = self.views(self.flat)
        for name, value in named.items():
            views[name][...] = value
        self.layers: tuple[Layer, ...] = tuple(
            layer.with_parameters({k: views[f"{i}.{k}"] for k in layer.parameters()})
            for i, layer in enumerate(layers)
        )
        learning = (i for i, layer in enumerate(layers) if layer.parameters())
        self._first_learning = next(learning, 0)

    def views(self, flat: Floats) -> dict[str, Floats]:
        """The parts of a vector like `flat` by parameter name, in order of the layers."""
        return {name: flat[self._places[name][0]].reshape(self._places[name][1]) for name in self.names}

    def place(self, name: str) -> slice:
        """Where a parameter lies in `flat`."""
        return self._places[name][0]

    def parameters(self) -> dict[str, Floats]:
        """Every learned array by name, as views into `flat`."""
        return self.views(self.flat)

    def layer_widths(self, inputs: int) -> list[int]:
        """How many outputs each layer has for so many inputs.

        Raises:
            ValueError: a layer does not fit the one before it, by its number.
        """
        widths = []
        for i, layer in enumerate(self.layers):
            try:
                inputs = layer.width(inputs)
            except ValueError as error:
                raise ValueError(f"layer {i} {error}") from error
            widths.append(inputs)
        return widths

    def predict(self, x: Floats) -> Floats:
        """(rows, inputs) to logits (rows, outputs). Writes nothing: safe from any thread."""
        if len(x) == 1:
            # a single row as a vector: NumPy adds two vectors faster than a vector to a table
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

    def forward(
        self, x: Floats, rng: np.random.Generator | None = None, run: Run = call, *, overwrite: bool = False
    ) -> tuple[Floats, list[Any]]:
        """(rows, inputs) to (logits (rows, outputs), one cache a layer).

        Args:
            x: the inputs; never overwritten.
            rng: a generator means training.
            run: through which every array function is called.
            overwrite: whether a layer may take the memory of an output that nobody looks at again.
        """
        caches, free = [], False
        for layer in self.layers:
            y, cache = layer.forward(x, rng, run, overwrite=free)
            caches.append(cache)
            # a layer that hands its input on hands on also whether it is anybody's
            free = overwrite and not layer.caches_output and (free or y is not x)
            x = y
        return x, caches

    def backward(self, grad: Floats, caches: list[Any], run: Run = call, into: Gradients | None = None) -> Gradients:
        """dL/d(logits) to dL/d(parameter) by name (the chain rule, last layer first).

        Args:
            grad: (rows, outputs); overwritten with `into`.
            caches: of the forward pass.
            run: through which every array function is called.
            into: where the gradients are written, by name.
        """
        gradients: Gradients = {}
        passed: Floats | None = grad
        for i in reversed(range(self._first_learning, len(self.layers))):
            layer = self.layers[i]
            assert passed is not None  # noqa: S101  asked for in each layer but the last of this loop
            own = None if into is None else {name: into[f"{i}.{name}"] for name in layer.parameters()}
            passed, own = layer.backward(passed, caches[i], run, own, wanted=i > self._first_learning)
            gradients |= {f"{i}.{name}": value for name, value in own.items()}
        return gradients

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
        entered, here, there = [], x[None, :], reference[None, :]
        for layer in self.layers:
            entered.append((here, there))
            here, there = layer.apply(here), layer.apply(there)
        multiplier = np.eye(here.shape[1], dtype=here.dtype)
        for layer, (here, there) in zip(reversed(self.layers), reversed(entered), strict=True):
            multiplier = layer.multiplier(multiplier, here, there)
        return np.asarray(multiplier * (x - reference))


def mlp(
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    activation: str = "relu",
    dropout: float = 0.0,
    initializer: str | None = None,
    dtype: type[np.floating[Any]] = np.float32,
) -> Network:
    """A multilayer perceptron: an activation (and dropout) between linear layers, logits at the end.

    Args:
        sizes: inputs, hidden units..., outputs.
        rng: where the starting weights come from.
        activation: one of ACTIVATIONS.
        dropout: share of the hidden units left out at each training step.
        initializer: one of INITIALIZERS for all layers; None for He before the ReLUs and Xavier elsewhere.
        dtype: of the parameters.

    Raises:
        ValueError: fewer than two sizes, or one below 1; a name that is not in its table; a rate outside 0 to 1.
    """
    for kind, wanted, table in (("activation", activation, ACTIVATIONS), ("initializer", initializer, INITIALIZERS)):
        if wanted is not None and wanted not in table:
            raise ValueError(f"unknown {kind} {wanted!r}; one of {', '.join(table)}")
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"a network is of float32 or float64, not {dtype}")
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes {tuple(sizes)} are not inputs, hidden units..., outputs")
    layers: list[Layer] = []
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        last = i == len(sizes) - 2
        rectified = activation.endswith("relu") and not last
        name = initializer or ("he_normal" if rectified else "xavier_normal")
        weight = INITIALIZERS[name](fan_in, fan_out, rng).astype(dtype)
        layers.append(Linear(weight, np.zeros(fan_out, dtype)))
        if not last:
            layers.append(ACTIVATIONS[activation]())
            if dropout:
                layers.append(Dropout(dropout))
    return Network(layers)

"""Numerical gradients: what keeps the algebra of every layer honest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from model.array_types import Floats
from model.nn.losses import Loss
from model.nn.network import Network
from model.nn.regularizers import Penalty


def numerical_gradient(f: Callable[[], float], parameter: Floats, step: float = 1e-6) -> Floats:
    """Central differences (f(p + h) - f(p - h)) / 2h for each element of `parameter`, which is restored.

    Args:
        f: the scalar function; it reads `parameter` in place.
        parameter: float64, any shape.
        step: h.
    """
    gradient = np.zeros_like(parameter)
    for index in np.ndindex(parameter.shape):
        kept = parameter[index]
        parameter[index] = kept + step
        above = f()
        parameter[index] = kept - step
        below = f()
        parameter[index] = kept
        gradient[index] = (above - below) / (2 * step)
    return gradient


def relative_error(a: Floats, b: Floats) -> float:
    """|a - b| / (|a| + |b|) in L2 norms: 0 for equal arrays, at most 1."""
    scale = float(np.linalg.norm(a) + np.linalg.norm(b))
    return float(np.linalg.norm(a - b)) / scale if scale else 0.0


def check_gradients(
    network: Network,
    loss: Loss,
    x: Floats,
    y: Floats,
    penalty: Penalty | None = None,
    seed: int | None = None,
) -> dict[str, float]:
    """The relative error of each parameter's gradient against central differences, and of the input's ("input").

    A correct gradient has less than 1e-6; a kink (a ReLU at 0) within the step may show more.

    Args:
        network: of float64 parameters, which are moved and restored.
        loss: any.
        x: (rows, inputs) float64.
        y: (rows, outputs) labels.
        penalty: added to the loss, on the weights.
        seed: of the randomness of layers like dropout, drawn the same each time; None for prediction.

    Raises:
        ValueError: the network is not float64, in which the differences mean something, or has no parameters.
    """
    if not network.flat.size:
        raise ValueError("the network has no parameters to check")
    if network.flat.dtype != np.float64:
        raise ValueError(f"a gradient check needs float64 parameters, not {network.flat.dtype}")
    penalty = penalty or Penalty()
    weights, moved = network.flat[: network.weight_count], np.array(x, np.float64)
    y = np.asarray(y)

    def objective() -> float:
        z, _ = network.forward(moved, None if seed is None else np.random.default_rng(seed))
        return loss(z, y)[0] + penalty.value(weights)

    z, caches = network.forward(moved, None if seed is None else np.random.default_rng(seed))
    gradient = np.empty_like(network.flat)
    views = network.views(gradient)
    grad = loss(z, y)[1]
    for name, value in network.backward(grad, caches).items():
        views[name][...] = value
    penalty.add_gradient(weights, gradient[: network.weight_count])
    for layer, cache in zip(reversed(network.layers), reversed(caches), strict=True):
        grad, _ = layer.backward(grad, cache)  # type: ignore[assignment]
    errors = {
        name: relative_error(views[name], numerical_gradient(objective, parameter))
        for name, parameter in network.parameters().items()
    }
    return errors | {"input": relative_error(grad, numerical_gradient(objective, moved))}

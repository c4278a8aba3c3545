"""Gradient check: comparison of backpropagation with central differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from model.array_types import Floats
from model.nn.losses import Loss
from model.nn.network import Network
from model.nn.regularizers import Penalty


def numerical_gradient(f: Callable[[], float], parameter: Floats, step: float = 1e-6) -> Floats:
    """Compute central differences (f(p + h) - f(p - h)) / 2h for each element of `parameter`.

    Args:
        f: scalar function that reads `parameter` in place.
        parameter: float64 array of any shape; its elements are changed and restored.
        step: h.
    """
    gradient = np.zeros_like(parameter)
    for index in np.ndindex(parameter.shape):
        original = parameter[index]
        parameter[index] = original + step
        above = f()
        parameter[index] = original - step
        below = f()
        parameter[index] = original
        gradient[index] = (above - below) / (2 * step)
    return gradient


def relative_error(a: Floats, b: Floats) -> float:
    """Return |a - b| / (|a| + |b|) in L2 norms: 0 for equal arrays, at most 1."""
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
    """Return the relative errors of the gradients of each parameter, and of "input", against central differences.

    Errors of correct gradients are below 1e-6, unless a kink (ReLU at 0) lies within the step of the differences.

    Args:
        network: network of float64 parameters, which are changed and restored.
        loss: loss function.
        x: (rows, inputs) float64.
        y: (rows, outputs) labels.
        penalty: weight penalty that is added to the loss.
        seed: seed for layers such as dropout, the same at each evaluation; None for prediction.

    Raises:
        ValueError: the network is not of float64, the precision that the differences need, or has no parameters.
    """
    if not network.flat.size:
        raise ValueError("the network has no parameters to check")
    if network.flat.dtype != np.float64:
        raise ValueError(f"a gradient check needs float64 parameters, not {network.flat.dtype}")
    penalty = penalty or Penalty()
    weights = network.flat[: network.weight_count]
    inputs = np.array(x, np.float64)
    y = np.asarray(y)

    def rng() -> np.random.Generator | None:
        return None if seed is None else np.random.default_rng(seed)

    def objective() -> float:
        logits, _ = network.forward(inputs, rng())
        return loss(logits, y)[0] + penalty.value(weights)

    logits, caches = network.forward(inputs, rng())
    input_gradient, gradients = network.backward(loss(logits, y)[1], caches)
    gradient = np.empty_like(network.flat)
    views = network.views(gradient)
    for name, value in gradients.items():
        views[name][...] = value
    penalty.add_gradient(weights, gradient[: network.weight_count])
    errors = {
        name: relative_error(views[name], numerical_gradient(objective, parameter))
        for name, parameter in network.parameters().items()
    }
    errors["input"] = relative_error(input_gradient, numerical_gradient(objective, inputs))
    return errors

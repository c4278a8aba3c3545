"""Gradient check: comparison of backpropagation with central differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from model.array_types import Floats
from model.nn.losses import Loss
from model.nn.network import Network
from model.nn.regularizers import Penalty


def numerical_gradient(f: Callable[[], float], parameter: Floats, step: float = 1e-6) -> Floats:
    """Compute the central difference (f(p + h) - f(p - h)) / (2 h) for each element p of `parameter`.

    Args:
        f: scalar function of the current content of `parameter`.
        parameter: float64 array of any shape; its elements are changed and restored.
        step: h.

    Returns:
        Differences, same shape as `parameter`.
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
    """Return |a - b| / (|a| + |b|) with L2 norms: 0 for equal arrays, at most 1."""
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
    """Compare the gradients of backpropagation with central differences.

    The relative error of a correct gradient is below 1e-6, unless the difference crosses a kink such as ReLU at 0.

    Args:
        network: network with float64 parameters, which are changed and restored.
        loss: loss function.
        x: inputs (rows, inputs).
        y: labels (rows, outputs).
        penalty: penalty on the weights that is added to the loss; None for no penalty.
        seed: seed of the random generator for dropout; None disables dropout, as in prediction.

    Returns:
        Relative error of the gradient for each parameter name, and under the key "input" for the inputs.

    Raises:
        ValueError: the parameters are not float64, or the network has none.
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

"""The health of a training, seen through its gradients and activations.

A network that cannot learn shows it here first: gradients that fade or burst, units that never fire or never leave
their ends. What is found is said in words, with what to do about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

import numpy as np

from model.array_types import Floats
from model.nn.activations import Activation, ReLU
from model.nn.network import Network

State = Literal["healthy", "vanishing", "exploding"]

SAMPLE_ROWS = 4096
"""Rows at most that show what the units do."""

DEAD_UNITS_LIMIT, SATURATION_LIMIT, CLIPPED_STEPS_LIMIT = 0.4, 0.5, 0.5
"""Shares from which something is said."""


@dataclass(frozen=True)
class ParameterHealth:
    """Gradient of one parameter before clipping: L2 norms (mean of the last epoch, last step, largest).

    `update_ratio` is the L2 norm of the update over that of the parameter, mean over the last epoch's steps that were
    looked at.
    """

    name: str
    norm: float
    norm_last: float
    norm_max: float
    update_ratio: float


@dataclass(frozen=True)
class LayerHealth:
    """One activation layer on rows that were not fitted on.

    `dead_ratio` is the share of units that no row moves from where their slope is nothing, `saturation_ratio` the
    share of all outputs that lie there (None for an activation without such ends); mean and deviation are over all
    outputs.
    """

    name: str
    dead_ratio: float
    saturation_ratio: float | None
    mean: float
    deviation: float


@dataclass(frozen=True)
class GradientHealth:
    """What a training showed of itself. `clipped_steps` and `nonfinite_steps` are out of `steps`."""

    state: State
    parameters: tuple[ParameterHealth, ...]
    layers: tuple[LayerHealth, ...]
    steps: int
    clipped_steps: int
    nonfinite_steps: int
    advice: tuple[str, ...]


def assess_gradients(
    parameters: tuple[ParameterHealth, ...],
    layers: tuple[LayerHealth, ...],
    counts: tuple[int, int, int],
    vanishing: float,
    exploding: float,
) -> GradientHealth:
    """What is said of a training.

    Args:
        parameters: of the gradients.
        layers: of the units.
        counts: all steps, those that were clipped, and those that were not finite.
        vanishing: a mean gradient norm of any weight matrix below this is vanishing.
        exploding: a gradient norm above this at any step is exploding.
    """
    steps, clipped, nonfinite = counts
    state, reason = _state(parameters, nonfinite, vanishing, exploding)
    advice = (*((reason,) if reason else ()), *_advice(layers, steps, clipped))
    return GradientHealth(state, parameters, layers, steps, clipped, nonfinite, advice)


def _state(
    parameters: tuple[ParameterHealth, ...], nonfinite: int, vanishing: float, exploding: float
) -> tuple[State, str]:
    """The state with its reason, "" where it is healthy."""
    largest = max(parameters, key=lambda p: p.norm_max)
    smallest = min((p for p in parameters if p.name.endswith("weight")), key=lambda p: p.norm)
    if nonfinite:
        return "exploding", f"gradient not finite in {nonfinite} steps: lower the learning rate"
    if largest.norm_max > exploding:
        return "exploding", (
            f"gradient of {largest.name} up to {largest.norm_max:.3g}: lower the learning rate or the gradient clip"
        )
    if smallest.norm < vanishing:
        return "vanishing", f"gradient of {smallest.name} only {smallest.norm:.1e}: use fewer layers, or ReLU"
    return "healthy", ""


def _advice(layers: tuple[LayerHealth, ...], steps: int, clipped: int) -> list[str]:
    advice = []
    for layer in layers:
        if layer.dead_ratio >= DEAD_UNITS_LIMIT:
            advice.append(
                f"layer {layer.name}: {layer.dead_ratio:.0%} of units dead: lower the learning rate or use LeakyReLU"
            )
        if layer.saturation_ratio is not None and layer.saturation_ratio >= SATURATION_LIMIT:
            advice.append(
                f"layer {layer.name}: {layer.saturation_ratio:.0%} of outputs saturated: "
                "scale the inputs, start with smaller weights or lower the learning rate"
            )
    if steps and clipped / steps >= CLIPPED_STEPS_LIMIT:
        advice.append(f"{clipped / steps:.0%} of steps clipped: raise the gradient clip or lower the learning rate")
    return advice


def activation_health(network: Network, x: Floats) -> tuple[LayerHealth, ...]:
    """What each activation layer does on evenly spread rows of `x` (rows, inputs)."""
    x = x[:: max(1, -(-len(x) // SAMPLE_ROWS))]
    found = []
    for i, layer in enumerate(network.layers):
        x = layer.apply(x)
        if isinstance(layer, Activation):
            ends = layer.saturated(x)
            stuck = x == 0 if isinstance(layer, ReLU) else ends
            dead = 0.0 if stuck is None else float(stuck.all(axis=0).mean())
            saturation = None if ends is None else float(ends.mean())
            mean, deviation = float(x.mean(dtype=np.float64)), float(x.std(dtype=np.float64))
            found.append(LayerHealth(str(i), dead, saturation, mean, deviation))
    return tuple(found)


def not_learning(losses: list[float], start: float, epochs: int) -> str:
    """A sentence if the training loss was not once below its start in the first tenth of the epochs, else ""."""
    # the loss of an epoch is of its steps before their updates: the first one need not be lower
    tenth = max(2, epochs // 10)
    if len(losses) < tenth or min(losses[:tenth]) < start:
        return ""
    return (
        f"the loss had not fallen after {tenth} of {epochs} epochs "
        f"({start:.3g} before, {min(losses[:tenth]):.3g} then): "
        "check the labels, change the learning rate or the starting weights"
    )


def combine_health(found: Sequence[GradientHealth]) -> GradientHealth:
    """Trainings of networks of as many layers as one: figures on average, extremes and verdict at their worst."""
    worst: tuple[State, ...] = ("exploding", "vanishing", "healthy")
    parameters = tuple(
        ParameterHealth(
            same[0].name,
            fmean(one.norm for one in same),
            fmean(one.norm_last for one in same),
            max(one.norm_max for one in same),
            fmean(one.update_ratio for one in same),
        )
        for same in zip(*(one.parameters for one in found), strict=True)
    )
    layers = tuple(
        LayerHealth(
            same[0].name,
            fmean(one.dead_ratio for one in same),
            fmean(ratios) if (ratios := [r for one in same if (r := one.saturation_ratio) is not None]) else None,
            fmean(one.mean for one in same),
            fmean(one.deviation for one in same),
        )
        for same in zip(*(one.layers for one in found), strict=True)
    )
    return GradientHealth(
        min((one.state for one in found), key=worst.index),
        parameters,
        layers,
        sum(one.steps for one in found),
        sum(one.clipped_steps for one in found),
        sum(one.nonfinite_steps for one in found),
        tuple(dict.fromkeys(text for one in found for text in one.advice)),
    )

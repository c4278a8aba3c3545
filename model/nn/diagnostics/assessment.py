"""Training assessment: gradients, activations and losses compared with thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from model.array_types import Floats
from model.nn.activations import Activation, ReLU
from model.nn.data import TrainingData
from model.nn.diagnostics.fit_report import Epoch
from model.nn.diagnostics.gradient_health import (
    GradientHealth,
    GradientState,
    Issue,
    IssueKind,
    LayerHealth,
    ParameterHealth,
    StepCounts,
)
from model.nn.diagnostics.gradient_statistics import GradientStatistics
from model.nn.fit_config import FitConfig
from model.nn.network import Network, is_weight

MAX_ROWS = 4096
"""Largest number of rows on which activations are measured."""

DEAD_UNITS_LIMIT = 0.4
"""A layer with at least this fraction of dead units is reported as an issue."""

SATURATION_LIMIT = 0.5
"""A layer with at least this fraction of saturated outputs is reported as an issue."""

CLIPPED_STEPS_LIMIT = 0.5
"""A training run with at least this fraction of clipped steps is reported as an issue."""


def assess_training(
    data: TrainingData,
    statistics: GradientStatistics,
    epochs: Sequence[Epoch],
    initial_loss: float,
    config: FitConfig,
) -> GradientHealth:
    """Diagnose a completed training run.

    Args:
        data: network with the kept parameters, and examples on which its activations are measured.
        statistics: gradient statistics of all steps.
        epochs: results of the epochs, in order.
        initial_loss: training loss before the first step.
        config: thresholds for vanishing and exploding gradients, and number of epochs.
    """
    losses = [epoch.train_loss for epoch in epochs]
    # If the loss is near zero, small gradients are expected and are not an issue.
    solved = bool(losses) and losses[-1] <= 1e-6 * initial_loss
    health = assess_statistics(
        statistics.parameter_health(),
        activation_health(data.network, data.evaluation_inputs),
        statistics.step_counts,
        vanishing=0.0 if solved else config.vanishing_gradient,
        exploding=config.exploding_gradient,
    )
    stalled = stalled_loss(losses, initial_loss, config.epochs)
    return health if stalled is None else replace(health, issues=(stalled, *health.issues))


def assess_statistics(
    parameters: tuple[ParameterHealth, ...],
    layers: tuple[LayerHealth, ...],
    counts: StepCounts,
    vanishing: float,
    exploding: float,
) -> GradientHealth:
    """Diagnose gradients and activations from their statistics.

    Args:
        parameters: gradient statistics of each parameter, at least one.
        layers: activation statistics of each activation layer.
        counts: numbers of all, clipped and skipped steps.
        vanishing: gradients are vanishing if the mean gradient norm of a weight matrix is below this value.
        exploding: gradients are exploding if the gradient norm of a parameter at any step is above this value.
    """
    state, issue = _gradient_state(parameters, counts.nonfinite, vanishing, exploding)
    gradient_issues = () if issue is None else (issue,)
    return GradientHealth(
        state=state,
        parameters=parameters,
        layers=layers,
        steps=counts.total,
        clipped_steps=counts.clipped,
        nonfinite_steps=counts.nonfinite,
        issues=(*gradient_issues, *_layer_issues(layers), *_clipping_issues(counts)),
    )


def _gradient_state(
    parameters: tuple[ParameterHealth, ...], nonfinite: int, vanishing: float, exploding: float
) -> tuple[GradientState, Issue | None]:
    largest = max(parameters, key=lambda parameter: parameter.norm_max)
    weights = (parameter for parameter in parameters if is_weight(parameter.name))
    smallest = min(weights, key=lambda parameter: parameter.norm, default=None)
    if nonfinite:
        message = f"gradient not finite in {nonfinite} steps: lower the learning rate"
        return GradientState.EXPLODING, Issue(IssueKind.NONFINITE_GRADIENT, message)
    if largest.norm_max > exploding:
        message = (
            f"gradient norm of {largest.name} up to {largest.norm_max:.3g}: "
            "lower the learning rate or the gradient clip"
        )
        return GradientState.EXPLODING, Issue(IssueKind.EXPLODING_GRADIENT, message)
    if smallest is not None and smallest.norm < vanishing:
        message = f"gradient norm of {smallest.name} only {smallest.norm:.1e}: use fewer layers, or ReLU"
        return GradientState.VANISHING, Issue(IssueKind.VANISHING_GRADIENT, message)
    return GradientState.HEALTHY, None


def _layer_issues(layers: Iterable[LayerHealth]) -> Iterable[Issue]:
    for layer in layers:
        if layer.dead_ratio >= DEAD_UNITS_LIMIT:
            yield Issue(
                IssueKind.DEAD_UNITS,
                f"layer {layer.name}: {layer.dead_ratio:.0%} of units dead: lower the learning rate or use LeakyReLU",
            )
        if layer.saturation_ratio is not None and layer.saturation_ratio >= SATURATION_LIMIT:
            yield Issue(
                IssueKind.SATURATED_OUTPUTS,
                f"layer {layer.name}: {layer.saturation_ratio:.0%} of outputs saturated: "
                "scale the inputs, start with smaller weights or lower the learning rate",
            )


def _clipping_issues(counts: StepCounts) -> Iterable[Issue]:
    ratio = counts.clipped / max(1, counts.total)
    if ratio >= CLIPPED_STEPS_LIMIT:
        yield Issue(
            IssueKind.CLIPPED_STEPS,
            f"{ratio:.0%} of steps clipped: raise the gradient clip or lower the learning rate",
        )


def stalled_loss(losses: Sequence[float], initial_loss: float, epochs: int) -> Issue | None:
    """Return an issue if no training loss in the first tenth of the epochs is below the initial loss, else None.

    Args:
        losses: training loss of each completed epoch.
        initial_loss: training loss before the first step.
        epochs: configured number of epochs. The first tenth is at least two epochs; until it is complete, the result
            is None.
    """
    # The loss of a step is measured before its update: with one step per epoch, the first epoch has the initial loss.
    tenth = max(2, epochs // 10)
    if len(losses) < tenth or min(losses[:tenth]) < initial_loss:
        return None
    return Issue(
        IssueKind.STALLED_LOSS,
        f"training loss not below its initial value {initial_loss:.3g} after {tenth} of {epochs} epochs "
        f"(lowest {min(losses[:tenth]):.3g}): check the labels, change the learning rate or the initial weights",
    )


def activation_health(network: Network, x: Floats) -> tuple[LayerHealth, ...]:
    """Compute statistics of each activation layer on at most `MAX_ROWS` evenly spaced rows of `x` (rows, inputs)."""
    x = x[:: max(1, -(-len(x) // MAX_ROWS))]
    layers = []
    for i, layer in enumerate(network.layers):
        x = layer.apply(x)
        if isinstance(layer, Activation):
            layers.append(_layer_health(str(i), layer, x))
    return tuple(layers)


def _layer_health(name: str, layer: Activation, outputs: Floats) -> LayerHealth:
    saturated = layer.saturated(outputs)
    inactive = outputs == 0 if isinstance(layer, ReLU) else saturated
    return LayerHealth(
        name=name,
        dead_ratio=0.0 if inactive is None else float(inactive.all(axis=0).mean()),
        saturation_ratio=None if saturated is None else float(saturated.mean()),
        mean=float(outputs.mean(dtype=np.float64)),
        deviation=float(outputs.std(dtype=np.float64)),
    )

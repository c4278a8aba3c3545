"""Gradient health: value types for the diagnosis of a training run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import fmean
from typing import NamedTuple, TypeVar


class GradientState(StrEnum):
    """Overall state of the gradients; the members are in order from best to worst."""

    HEALTHY = "healthy"
    VANISHING = "vanishing"
    EXPLODING = "exploding"


class IssueKind(StrEnum):
    """Kind of problem in a training run."""

    STALLED_LOSS = "stalled loss"
    NONFINITE_GRADIENT = "non-finite gradient"
    EXPLODING_GRADIENT = "exploding gradient"
    VANISHING_GRADIENT = "vanishing gradient"
    DEAD_UNITS = "dead units"
    SATURATED_OUTPUTS = "saturated outputs"
    CLIPPED_STEPS = "clipped steps"


class Issue(NamedTuple):
    """Problem in a training run, with a message that states the measured values and a remedy."""

    kind: IssueKind
    message: str


class StepCounts(NamedTuple):
    """Numbers of steps of a training run.

    Attributes:
        total: number of all steps.
        clipped: number of steps with clipped gradient.
        nonfinite: number of steps skipped because of a non-finite gradient.
    """

    total: int
    clipped: int
    nonfinite: int


@dataclass(frozen=True)
class ParameterHealth:
    """Gradient norms and update ratio of one parameter.

    Norms are L2 norms before clipping, without skipped steps. The update ratio norm(update) / norm(parameter) is
    measured every 64 steps.

    Attributes:
        name: name of the parameter.
        norm: mean gradient norm over the steps of the last epoch.
        norm_last: gradient norm at the last step.
        norm_max: largest gradient norm of all steps.
        update_ratio: mean of the update ratios of the last epoch in which at least one was measured.
    """

    name: str
    norm: float
    norm_last: float
    norm_max: float
    update_ratio: float


@dataclass(frozen=True)
class LayerHealth:
    """Statistics of the outputs of one activation layer.

    The outputs are measured on validation examples, or on training examples if there are no validation examples.

    Attributes:
        name: index of the layer in the network, as text.
        dead_ratio: fraction of dead units, whose output is 0 (ReLU) or saturated (tanh, sigmoid) in every row;
            0 for LeakyReLU.
        saturation_ratio: fraction of saturated outputs; None for an unbounded activation.
        mean: mean of all outputs.
        deviation: standard deviation of all outputs.
    """

    name: str
    dead_ratio: float
    saturation_ratio: float | None
    mean: float
    deviation: float


T = TypeVar("T", ParameterHealth, LayerHealth)


@dataclass(frozen=True)
class GradientHealth:
    """Diagnosis of a training run from its gradients and activations.

    Attributes:
        state: overall state of the gradients.
        parameters: gradient statistics per parameter.
        layers: activation statistics per activation layer.
        steps: number of steps.
        clipped_steps: number of steps with clipped gradient.
        nonfinite_steps: number of steps skipped because of a non-finite gradient.
        issues: problems of gradients, activations and loss.
    """

    state: GradientState
    parameters: tuple[ParameterHealth, ...]
    layers: tuple[LayerHealth, ...]
    steps: int
    clipped_steps: int
    nonfinite_steps: int
    issues: tuple[Issue, ...] = ()

    @property
    def advice(self) -> tuple[str, ...]:
        """Message of each issue: measured values and a remedy."""
        return tuple(issue.message for issue in self.issues)


def combine_health(diagnoses: Sequence[GradientHealth]) -> GradientHealth:
    """Combine the diagnoses of networks: parameters, and layers, with equal names are combined into one.

    `state` is the worst state and `norm_max` the largest value. Numbers of steps are summed, all other values
    averaged. Equal issues are listed once.
    """
    severity = list(GradientState)
    issues = [issue for health in diagnoses for issue in health.issues]
    return GradientHealth(
        state=max((health.state for health in diagnoses), key=severity.index),
        parameters=tuple(map(_combine_parameter, _by_name(health.parameters for health in diagnoses))),
        layers=tuple(map(_combine_layer, _by_name(health.layers for health in diagnoses))),
        steps=sum(health.steps for health in diagnoses),
        clipped_steps=sum(health.clipped_steps for health in diagnoses),
        nonfinite_steps=sum(health.nonfinite_steps for health in diagnoses),
        issues=tuple(dict.fromkeys(issues)),
    )


def prefixed(health: GradientHealth, prefix: str) -> GradientHealth:
    """Return a diagnosis with a prefix before the names of parameters and layers."""
    return replace(
        health,
        parameters=tuple(replace(parameter, name=f"{prefix}{parameter.name}") for parameter in health.parameters),
        layers=tuple(replace(layer, name=f"{prefix}{layer.name}") for layer in health.layers),
    )


def _by_name(networks: Iterable[Sequence[T]]) -> list[list[T]]:
    """Group the values of several networks by name, in the order in which the names first occur."""
    groups: dict[str, list[T]] = {}
    for values in networks:
        for value in values:
            groups.setdefault(value.name, []).append(value)
    return list(groups.values())


def _combine_parameter(parameters: Sequence[ParameterHealth]) -> ParameterHealth:
    return ParameterHealth(
        name=parameters[0].name,
        norm=fmean(parameter.norm for parameter in parameters),
        norm_last=fmean(parameter.norm_last for parameter in parameters),
        norm_max=max(parameter.norm_max for parameter in parameters),
        update_ratio=fmean(parameter.update_ratio for parameter in parameters),
    )


def _combine_layer(layers: Sequence[LayerHealth]) -> LayerHealth:
    ratios = [layer.saturation_ratio for layer in layers if layer.saturation_ratio is not None]
    return LayerHealth(
        name=layers[0].name,
        dead_ratio=fmean(layer.dead_ratio for layer in layers),
        saturation_ratio=fmean(ratios) if ratios else None,
        mean=fmean(layer.mean for layer in layers),
        deviation=fmean(layer.deviation for layer in layers),
    )

"""What was learned on other hosts: knowledge for the first days.

It sees the load index alone, which is 1 where load is high on any host, over windows that are the same everywhere,
and so it can be adapted to a host that nobody has watched yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.features.features import GENERAL_WINDOWS, FeatureSpec, at_least_two, windows_for
from model.features.labels import Rules
from model.features.time_buckets import bucket_width
from model.forecast.blend import EXPERTS, single_expert
from model.forecast.ensemble import Ensemble, Scaler
from model.forecast.predictor import Predictor
from model.nn.layers import Linear
from model.nn.network import Network
from model.nn.numerics import logit, sigmoid
from model.units import MINUTE

PRETRAINED_HORIZONS = tuple(minutes * MINUTE for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 240))
"""Horizons in seconds that it was taught; of others it says what lies between its neighbours."""

OF_WINDOWS = ("mean", "deviation", "high", "max", "min")
OF_STRETCHES = ("since_high", "since_onset", "period", "phase")
OF_DAYS = (
    "yesterday:now",
    "yesterday:before:1h",
    "yesterday:after:1h",
    "yesterday:before:4h",
    "yesterday:after:4h",
    "past_days:now",
    "past_days:around",
    "past_days:departure",
    "past_days:deviation",
)


@dataclass(frozen=True)
class PretrainedModel:
    """Networks over `inputs`, with one output for each of HEADS.

    `base_rates` (heads,) say how often high load followed on those hosts, under bounds that few moments reach.
    """

    scaler: Scaler
    networks: tuple[Network, ...]
    base_rates: Floats


def inputs(step: float) -> tuple[str, ...]:
    """The features that it sees, in its order, as they are named where samples are `step` seconds apart."""
    spans = [f"{at_least_two(window, step):g}s" for window in GENERAL_WINDOWS]
    load = ("last", "state", *(f"{what}:{span}" for span in spans for what in OF_WINDOWS), *OF_STRETCHES)
    return (*(f"load_index:{name}" for name in load), *OF_DAYS)


def usable(spec: FeatureSpec) -> bool:
    """Whether it can say something: not with samples hours apart, nor of horizons far from what it was taught."""
    return (
        spec.seasonal
        and min(spec.horizons) >= PRETRAINED_HORIZONS[0] / 2
        and max(spec.horizons) <= PRETRAINED_HORIZONS[-1] * 2
    )


def adapted(prior: PretrainedModel, spec: FeatureSpec, horizons: Sequence[float]) -> Ensemble:
    """The prior over the features of a host, with one output for each of its horizons (seconds)."""
    between = _between(horizons)
    networks = []
    for network in prior.networks:
        *layers, last = network.layers
        if not isinstance(last, Linear):
            raise TypeError("a network ends with a Linear layer")
        shorter = Linear((last.weight @ between).astype(np.float32), (last.bias @ between).astype(np.float32))
        networks.append(Network([*layers, shorter]))
    names = inputs(spec.step)
    picked = np.array([spec.place[name] for name in names])
    return Ensemble(prior.scaler, tuple(networks), (np.arange(len(names)),) * len(networks), picked)


def bootstrap_predictor(
    prior: PretrainedModel,
    columns: Sequence[str],
    rules: Rules,
    horizons: Sequence[float],
    step: float,
    precision: float,
) -> Predictor:
    """What serves before there is a history: the prior alone.

    It warns where it says `precision` or more: as far as it is calibrated, at least that many of its warnings are
    right.

    Args:
        prior: the shipped one.
        columns: the metrics of a sample.
        rules: what high load is, resolved.
        horizons: seconds.
        step: seconds between samples.
        precision: that is wanted of warnings.

    Raises:
        ValueError: it cannot be used, or the rules have bounds that only a history can tell.
    """
    spec = FeatureSpec(
        tuple(columns),
        (),
        (),
        rules,
        windows_for(horizons, step),
        step,
        tuple(horizons),
        bucket_width(step) is not None,
    )
    if not rules.resolved:
        raise ValueError("a prior needs bounds in numbers: a quantile is only known with a history")
    if not usable(spec):
        asked = f"{min(horizons):g} s to {max(horizons):g} s every {step:g} s"
        raise ValueError(f"a prior needs horizons of 30 s to 8 h and samples at most an hour apart, not {asked}")
    n = len(horizons)
    base = sigmoid(logit(prior.base_rates) @ _between(horizons))
    return Predictor(
        spec,
        tuple(horizons),
        adapted(prior, spec, horizons),
        (single_expert(len(EXPERTS)),) * n,
        tuple(base.tolist()),
        (precision,) * n,
    )


def _between(horizons: Sequence[float]) -> Floats:
    """(heads, horizons) how much of each head a horizon takes: linear in the logarithm of time."""
    at = np.interp(np.log(horizons), np.log(PRETRAINED_HORIZONS), np.arange(len(PRETRAINED_HORIZONS)))
    return np.maximum(0.0, 1.0 - np.abs(np.arange(len(PRETRAINED_HORIZONS))[:, None] - at))

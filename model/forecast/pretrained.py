"""Pretrained model: networks trained on other hosts, for a host without history.

It uses features of the load index only, over the same windows on every host. The load index reaches 1 at high load on
any host, so the model applies to hosts that it was not trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from model.array_types import Floats
from model.errors import UnsupportedTaskError, UnsupportedTaskReason
from model.features.feature_spec import GENERAL_WINDOWS, FeatureSpec, at_least_two_samples, windows_for
from model.features.labels import Rules
from model.features.scaling import Scaler
from model.features.time_buckets import bucket_width
from model.forecast.blend import EMPTY_LOAD_TABLE, EXPERTS, HorizonBlend, network_only
from model.forecast.calibration import BlendWeights
from model.forecast.ensemble import Ensemble
from model.forecast.log_odds import logit, sigmoid
from model.forecast.predictor import PRETRAINED, Predictor
from model.nn.layers import Linear
from model.nn.network import Network
from model.units import MINUTE

T = TypeVar("T")

PRETRAINED_HORIZONS = tuple(minutes * MINUTE for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 240))
"""Horizons of the network outputs in seconds; `adapt` interpolates for other horizons."""

WINDOW_STATISTICS = ("mean", "deviation", "high", "max", "min")
RECURRENCE = ("since_high", "since_onset", "period", "phase")
DAY_FEATURES = (
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
    """Networks trained on other hosts, over the features `input_names`, with outputs for PRETRAINED_HORIZONS.

    Attributes:
        scaler: scaler of the inputs.
        networks: networks, each over all inputs.
        base_rates: (outputs,) event rates on the training hosts.
    """

    scaler: Scaler
    networks: tuple[Network, ...]
    base_rates: Floats


def input_names(step: float) -> tuple[str, ...]:
    """Return the feature names of the inputs, in order, for samples `step` seconds apart."""
    spans = [f"{at_least_two_samples(window, step):g}s" for window in GENERAL_WINDOWS]
    windows = (f"{statistic}:{span}" for span in spans for statistic in WINDOW_STATISTICS)
    return (*(f"load_index:{name}" for name in ("last", "state", *windows, *RECURRENCE)), *DAY_FEATURES)


def supports(spec: FeatureSpec) -> bool:
    """Return True if the pretrained model can be adapted to a feature specification.

    It needs seasonal features, and horizons between half the shortest and twice the longest of PRETRAINED_HORIZONS.
    """
    shortest = PRETRAINED_HORIZONS[0] / 2
    longest = PRETRAINED_HORIZONS[-1] * 2
    return spec.seasonal and min(spec.horizons) >= shortest and max(spec.horizons) <= longest


def adapt(pretrained: PretrainedModel, spec: FeatureSpec, horizons: Sequence[float]) -> Ensemble:
    """Return the pretrained networks as an ensemble over the features of a host, with one output per horizon.

    The output layer is interpolated linearly in log(horizon).

    Args:
        pretrained: the model.
        spec: features of the host, for which `supports` is True.
        horizons: seconds.

    Raises:
        TypeError: the last layer of a network is not Linear.
    """
    interpolation = _interpolation(horizons)
    networks = []
    for network in pretrained.networks:
        *layers, last = network.layers
        if not isinstance(last, Linear):
            raise TypeError("a network ends with a Linear layer")
        weight = (last.weight @ interpolation).astype(np.float32)
        bias = (last.bias @ interpolation).astype(np.float32)
        networks.append(Network([*layers, Linear(weight, bias)]))
    names = input_names(spec.step)
    selected = np.array([spec.column_index[name] for name in names])
    return Ensemble(pretrained.scaler, tuple(networks), (np.arange(len(names)),) * len(networks), selected)


def bootstrap_predictor(
    pretrained: PretrainedModel,
    columns: Sequence[str],
    rules: Rules,
    horizons: Sequence[float],
    step: float,
    precision: float,
) -> Predictor:
    """Return a predictor for a host without history: the pretrained model alone.

    The warning threshold is the target precision: if the model is calibrated, at least that fraction of the warnings
    is followed by high load.

    Args:
        pretrained: networks to serve.
        columns: metric names in the column order of the samples.
        rules: high-load rules.
        horizons: seconds.
        step: row interval in seconds.
        precision: target precision of warnings.

    Raises:
        UnsupportedTaskError: the horizons or the row interval are out of range, or a bound is a quantile, which needs
            a history.
    """
    spec = FeatureSpec(
        columns=tuple(columns),
        inputs=(),
        logarithmic=(),
        rules=rules,
        windows=windows_for(horizons, step),
        step=step,
        horizons=tuple(horizons),
        seasonal=bucket_width(step) is not None,
    )
    if not rules.resolved:
        raise UnsupportedTaskError(UnsupportedTaskReason.QUANTILE_BOUND)
    if not supports(spec):
        task = f"horizons {min(horizons):g} s to {max(horizons):g} s, one sample per {step:g} s"
        raise UnsupportedTaskError(UnsupportedTaskReason.OUT_OF_RANGE, task)
    base_rates = sigmoid(logit(pretrained.base_rates) @ _interpolation(horizons))
    return Predictor(
        spec=spec,
        horizons=tuple(horizons),
        ensemble=adapt(pretrained, spec, horizons),
        blends=(network_only(),) * len(horizons),
        base_rates=tuple(base_rates.tolist()),
        thresholds=(precision,) * len(horizons),
    )


def add_pretrained_horizons(
    predictor: Predictor, pretrained: PretrainedModel, horizons: Sequence[float], precision: float
) -> Predictor:
    """Return a predictor with further horizons, which the pretrained model predicts alone.

    The warning threshold of these horizons is the target precision, as in `bootstrap_predictor`.

    Args:
        predictor: model fitted on the host, with persistence models; `supports` is True for its spec.
        pretrained: networks trained on other hosts.
        horizons: horizons of the predictor's spec that the predictor lacks, in seconds.
        precision: target precision of warnings.
    """
    all_horizons = tuple(sorted((*predictor.horizons, *horizons)))
    # Positions among the horizons of the predictor, followed by the added ones.
    order = [(*predictor.horizons, *horizons).index(horizon) for horizon in all_horizons]
    alone = BlendWeights(tuple(float(expert == PRETRAINED) for expert in range(len(EXPERTS))))
    added = len(horizons)
    base_rates = sigmoid(logit(pretrained.base_rates) @ _interpolation(horizons)).tolist()
    networks = tuple(_with_zero_outputs(network, added, order) for network in predictor.ensemble.networks)
    trees = predictor.ensemble.trees
    trees = None if trees is None else trees.with_zero_outputs(added, order)
    return replace(
        predictor,
        horizons=all_horizons,
        ensemble=replace(predictor.ensemble, networks=networks, trees=trees),
        blends=_take((*predictor.blends, *(HorizonBlend(EMPTY_LOAD_TABLE, alone, alone),) * added), order),
        base_rates=_take((*predictor.base_rates, *base_rates), order),
        thresholds=_take((*predictor.thresholds, *(precision,) * added), order),
        pretrained=adapt(pretrained, predictor.spec, all_horizons),
        persistence=_take((*predictor.persistence, *(None,) * added), order),
        pretrained_horizons=tuple(sorted(horizons)),
    )


def _take(values: Sequence[T], positions: Sequence[int]) -> tuple[T, ...]:
    return tuple(values[position] for position in positions)


def _with_zero_outputs(network: Network, added: int, order: Sequence[int]) -> Network:
    """Return a network with `added` outputs of 0 behind its own; `order` then permutes all outputs.

    Raises:
        TypeError: the last layer is not Linear.
    """
    *layers, last = network.layers
    if not isinstance(last, Linear):
        raise TypeError("a network ends with a Linear layer")
    weight = np.pad(last.weight, ((0, 0), (0, added)))[:, order]
    return Network([*layers, Linear(np.ascontiguousarray(weight), np.pad(last.bias, (0, added))[order])])


def _interpolation(horizons: Sequence[float]) -> Floats:
    """Return the weights (outputs, horizons) of a linear interpolation in log(horizon), constant beyond both ends."""
    positions = np.interp(np.log(horizons), np.log(PRETRAINED_HORIZONS), np.arange(len(PRETRAINED_HORIZONS)))
    return np.maximum(0.0, 1.0 - np.abs(np.arange(len(PRETRAINED_HORIZONS))[:, None] - positions))

"""Readings: training rows of pretrained models from the load of one host."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats, Integers
from model.features.design_matrix import design_matrix
from model.features.feature_spec import FeatureSpec, windows_for
from model.features.labels import Rules, future_labels
from model.features.scaling import fit_scaler
from model.forecast.pretrained import DAY_FEATURES, PRETRAINED_HORIZONS, RECURRENCE, PretrainedModel, input_names
from model.nn.data import Examples
from model.nn.fit_config import FitConfig
from model.nn.initializers import initialize_output_bias
from model.nn.losses import BCEWithLogits
from model.nn.network import mlp
from model.nn.training import fit
from model.units import DAY, HOUR, MINUTE

ROWS = 2500
"""Largest number of rows of a reading."""

NETWORKS, LAYERS = 4, (64, 32)
FIT = FitConfig(epochs=16, batch_size=512, patience=0, keep_best=False)


@dataclass(frozen=True)
class Reading:
    """Training rows of a host for one sampling step and one high-load bound.

    Attributes:
        x: (rows, inputs) float32, in the order of `input_names`.
        y: (rows, outputs) float32, NaN where unknown.
        typical: True for a reading that the base rates are computed from.
    """

    x: Floats
    y: Floats
    typical: bool


def examples(
    times: Floats, index: Floats, step: float, sustained: float, rng: np.random.Generator, rows: int = ROWS
) -> tuple[Floats, Floats]:
    """Return features (rows, inputs) and labels (rows, outputs) of random samples of a host.

    About half of the rows have the features of a host with a short history.

    Args:
        times: (samples,) seconds, increasing.
        index: (samples,) load index, NaN if unknown.
        step: seconds between samples.
        sustained: seconds for which the index must reach 1.
        rng: the only source of randomness.
        rows: largest number of rows.
    """
    x, y = features_and_labels(times, index, step, sustained, rng, rows)
    return with_short_histories(x, input_names(step), rng), y


def features_and_labels(
    times: Floats, index: Floats, step: float, sustained: float, rng: np.random.Generator, rows: int
) -> tuple[Floats, Floats]:
    """Return features and labels as `examples` does, all with the complete history."""
    horizons = PRETRAINED_HORIZONS[2:7]
    spec = FeatureSpec(
        columns=("load",),
        inputs=(),
        logarithmic=(),
        rules=Rules(((("load", 1.0),),), sustained),
        windows=windows_for(horizons, step),
        step=step,
        horizons=horizons,
        seasonal=True,
    )
    window = spec.new_window()
    window.extend(times, index[:, None])
    chosen = np.sort(rng.choice(len(times), min(rows, len(times)), replace=False))
    x = design_matrix(spec, window, chosen)[:, [spec.column_index[name] for name in input_names(step)]]
    return x, future_labels(times, window.state, PRETRAINED_HORIZONS, chosen)


def with_short_histories(x: Floats, names: tuple[str, ...], rng: np.random.Generator) -> Floats:
    """Return the features, with about half of the rows as on a host with 15 minutes to 3 days of history."""
    x = x.copy()
    history = np.exp(rng.uniform(math.log(0.25 * HOUR), math.log(3 * DAY), len(x)))
    history[rng.random(len(x)) < 0.5] = np.inf
    never = np.log1p(7 * DAY / MINUTE)
    for name in RECURRENCE[:3]:
        column = x[:, names.index(f"load_index:{name}")]
        column[column > np.log1p(history / MINUTE)] = never
    for i, name in enumerate(names):
        if name in DAY_FEATURES:
            x[history < DAY, i] = np.nan
        elif name.endswith("s"):
            x[2 * history < float(name.rpartition(":")[2][:-1]), i] = np.nan
    return x


def fit_pretrained(parts: Sequence[Reading], seed: int) -> PretrainedModel:
    """Fit the networks to all readings, of which at least one is typical.

    An output without a known label, whose horizon is shorter than the sampling step, learns the labels of the next
    longer horizon.

    Args:
        parts: readings of all hosts.
        seed: seed of the random numbers; equal readings and seeds yield equal models.

    Raises:
        DivergedError: a fit diverged.
    """
    x = np.concatenate([part.x for part in parts])
    y = np.concatenate([part.y for part in parts])
    typical = np.concatenate([part.y for part in parts if part.typical])
    columns = _learnable_columns(y)
    y = y[:, columns]
    known = ~np.isnan(y).all(axis=1)
    scaler = fit_scaler(x[known])
    loss = BCEWithLogits()
    rows = Examples(scaler(x[known]), y[known])
    networks = []
    for i in range(NETWORKS):
        rng = np.random.default_rng([seed, i])
        network = mlp((x.shape[1], *LAYERS, len(PRETRAINED_HORIZONS)), rng, dropout=0.1)
        initialize_output_bias(network, loss, rows.y)
        fit(network, loss, rows, None, FIT, rng)
        networks.append(network)
    return PretrainedModel(scaler, tuple(networks), np.nanmean(typical[:, columns], axis=0, dtype=np.float64))


def _learnable_columns(y: Floats) -> Integers:
    """Return for each output the first column (outputs,) from its own on with a known label in y (rows, outputs)."""
    known = np.flatnonzero(~np.isnan(y).all(axis=0))
    places = np.searchsorted(known, np.arange(y.shape[1]))
    return np.asarray(known[np.minimum(places, len(known) - 1)])

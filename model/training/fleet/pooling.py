"""Pooled model: a pretrained model of one fleet, and its gate against the shipped one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats
from model.forecast.log_odds import sigmoid
from model.forecast.metrics import average_precision
from model.forecast.pretrained import PRETRAINED_HORIZONS, PretrainedModel, input_names
from model.training.fleet.readings import Reading, examples, features_and_labels

NEWEST_SHARE = 0.25
"""Fraction of a history that the pooled model is not fitted on, but compared with the shipped model on."""

QUANTILES = (0.9, 0.95, 0.98)
"""Quantiles of the load index that are further high-load bounds: most hosts rarely have high load."""

MIN_BOUND = 0.05
"""Smallest quantile of the load index that is used as a bound."""

MIN_SAMPLES = 200
"""Smallest number of samples of a host that joins the pool."""

MIN_HOSTS = 5
"""Smallest number of hosts with both outcomes for a comparison."""

HOLDOUT_ROWS = 1500
"""Largest number of rows of a host on which the models are compared."""

COMPARED = slice(2, 7)
"""Outputs that are compared: horizons from 5 minutes to an hour."""


@dataclass(frozen=True)
class HostRows:
    """Rows of one host for the pool.

    Attributes:
        readings: training rows, before the newest part.
        x: (rows, inputs) float32 features in the newest part.
        y: (rows, outputs) float32 labels in the newest part, NaN if unknown.
    """

    readings: tuple[Reading, ...]
    x: Floats
    y: Floats


def host_rows(
    times: Floats, index: Floats, step: float, sustained: float, seed: Sequence[int], rows: int
) -> HostRows | None:
    """Return the rows of a host for the pool; None if its history is too short.

    Args:
        times: (samples,) seconds, increasing.
        index: (samples,) load index, NaN if unknown.
        step: seconds between samples.
        sustained: seconds for which a rule must hold.
        seed: seed of the random numbers, different for each host.
        rows: largest number of training rows per high-load bound.
    """
    known = index[~np.isnan(index)]
    if len(known) < MIN_SAMPLES:
        return None
    rng = np.random.default_rng(seed)
    end = int(np.searchsorted(times, times[-1] - NEWEST_SHARE * (times[-1] - times[0])))
    past = times[:end], index[:end]
    readings = [Reading(*examples(*past, step, sustained, rng, rows), typical=True)]
    for quantile in QUANTILES:
        bound = float(np.nanquantile(past[1], quantile)) if (~np.isnan(past[1])).any() else 0.0
        if bound >= MIN_BOUND:
            scaled = past[0], past[1] / bound
            readings.append(Reading(*examples(*scaled, step, sustained, rng, rows), typical=False))
    x, y = features_and_labels(times, index, step, sustained, rng, round(HOLDOUT_ROWS / NEWEST_SHARE))
    first = round(len(x) * end / len(times))
    return HostRows(tuple(readings), x[first:], y[first:])


@dataclass(frozen=True)
class PoolComparison:
    """Scores of a pooled model and the shipped one on the newest part of each host.

    Attributes:
        hosts: number of hosts with both outcomes.
        brier: mean Brier score of the pooled model, mean over hosts.
        shipped_brier: the same for the shipped model.
        brier_error: standard error of the mean difference over hosts.
        precision: mean average precision at onset of the pooled model, mean over hosts.
        shipped_precision: the same for the shipped model.
        precision_error: standard error of the mean difference over hosts.
    """

    hosts: int
    brier: float
    shipped_brier: float
    brier_error: float
    precision: float
    shipped_precision: float
    precision_error: float

    def accepted(self, margin: float) -> bool:
        """Return True if the pooled model may serve.

        Its Brier score must be better, and its average precision may be worse by at most the margin.

        Args:
            margin: number of standard errors, see `GateConfig`.
        """
        if self.hosts < MIN_HOSTS or not self.brier < self.shipped_brier:
            return False
        return self.precision >= self.shipped_precision - margin * self.precision_error


def compare_pooled(
    pooled: PretrainedModel, shipped: PretrainedModel, hosts: Sequence[HostRows], step: float
) -> PoolComparison:
    """Compare a pooled model with the shipped one on the newest part of each host.

    Args:
        pooled: model fitted to the readings of the hosts.
        shipped: the pretrained model of the package.
        hosts: rows of the hosts.
        step: seconds between samples.
    """
    state = input_names(step).index("load_index:state")
    briers = []
    precisions = []
    for host in hosts:
        y = host.y[:, COMPARED]
        calm = host.x[:, state] != 1
        if not ((y == 1).any() and (y == 0).any()):
            continue
        p = [predict(model, host.x)[:, COMPARED] for model in (pooled, shipped)]
        briers.append([float(np.nanmean(np.square(own - y))) for own in p])
        precisions.append([_onset_precision(own, y, calm) for own in p])
    brier = np.array(briers).reshape(-1, 2)
    precision = np.array(precisions).reshape(-1, 2)
    precision = precision[~np.isnan(precision).any(axis=1)]
    return PoolComparison(
        hosts=len(brier),
        brier=_mean(brier[:, 0]),
        shipped_brier=_mean(brier[:, 1]),
        brier_error=_error(brier[:, 0] - brier[:, 1]),
        precision=_mean(precision[:, 0]),
        shipped_precision=_mean(precision[:, 1]),
        precision_error=_error(precision[:, 0] - precision[:, 1]),
    )


def predict(model: PretrainedModel, x: Floats) -> Floats:
    """Return the probabilities (rows, outputs) for inputs (rows, inputs), non-decreasing over PRETRAINED_HORIZONS."""
    logits = sum(network.predict(model.scaler(x)) for network in model.networks) / len(model.networks)
    assert len(PRETRAINED_HORIZONS) == np.shape(logits)[1]  # noqa: S101  every model has these outputs
    return np.asarray(np.maximum.accumulate(sigmoid(np.asarray(logits, np.float64)), axis=1))


def _onset_precision(p: Floats, y: Floats, calm: Bools) -> float:
    """Return the average precision over the calm rows, mean over the outputs with events; NaN if there are none."""
    values = []
    for i in range(y.shape[1]):
        rows = calm & ~np.isnan(y[:, i])
        if y[rows, i].any():
            values.append(average_precision(y[rows, i], p[rows, i]))
    return float(np.mean(values)) if values else float("nan")


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _error(values: Floats) -> float:
    """Return the standard error of the mean of values (n,); infinite for fewer than two."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("inf")

"""Own models: small networks of single hosts with their blends, evaluated as batched products."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.features.scaling import SOFT_LIMIT
from model.forecast.blend import EXPERTS, TABLE_BINS
from model.forecast.log_odds import sigmoid
from model.forecast.predictor import LOAD_TABLE, NETWORK, PRETRAINED, Predictor
from model.nn.activations import ReLU
from model.nn.layers import Dropout, Linear


@dataclass(frozen=True)
class OwnModel:
    """Network of one hidden layer, load tables and blend weights of one host; equal shapes for all hosts.

    Attributes:
        mean: (features,) float32, as the following three: scaler of all features.
        deviation: standard deviation in training.
        low: lower end of the training range.
        high: upper end of the training range.
        hidden: (features, units) float32, 0 for features that the network does not use.
        hidden_bias: (units,) float32.
        output: (units, horizons) float32.
        output_bias: (horizons,) float32.
        scores: (horizons, points) load index at the points of the load tables, increasing; inf beyond the last.
        values: (horizons, points) log-odds at the points.
        unknown: (horizons,) log-odds for an unknown load index.
        weights: (2, horizons, experts) blend weights for calm and high load.
        intercepts: (2, horizons) intercepts of the blends.
    """

    mean: Floats
    deviation: Floats
    low: Floats
    high: Floats
    hidden: Floats
    hidden_bias: Floats
    output: Floats
    output_bias: Floats
    scores: Floats
    values: Floats
    unknown: Floats
    weights: Floats
    intercepts: Floats

    def fits(self, features: int, horizons: int) -> bool:
        """Return True if the model has the given numbers of features and horizons."""
        return len(self.hidden) == features and len(self.unknown) == horizons


def own_model(predictor: Predictor) -> OwnModel:
    """Return the compact form of a predictor with a single plain network of one hidden ReLU layer.

    Args:
        predictor: fitted predictor without inputs, encoded networks and trees.

    Raises:
        ValueError: the predictor has another architecture.
    """
    ensemble = predictor.ensemble
    layers = [layer for layer in ensemble.networks[0].layers if not isinstance(layer, Dropout)]
    is_plain = len(ensemble.networks) == 1 and ensemble.trees is None and ensemble.selected is None
    linear = [layer for layer in layers if isinstance(layer, Linear)]
    if not is_plain or [type(layer) for layer in layers] != [Linear, ReLU, Linear]:
        raise ValueError("an own model of a fleet has one network with one hidden ReLU layer, and no trees")
    first, last = linear
    scaler = ensemble.scaler
    features = len(scaler.mean)
    hidden = np.zeros((features, first.weight.shape[1]), np.float32)
    hidden[ensemble.columns[0]] = first.weight
    tables = [blend.load_table for blend in predictor.blends]
    scores = np.full((len(tables), TABLE_BINS), np.inf)
    values = np.zeros((len(tables), TABLE_BINS))
    for i, table in enumerate(tables):
        used = len(table.scores)
        scores[i, :used] = table.scores
        values[i, :used] = table.values
        values[i, used:] = table.values[-1]
    states = [[blend.calm for blend in predictor.blends], [blend.high for blend in predictor.blends]]
    infinite = np.full(features, np.inf, np.float32)
    return OwnModel(
        mean=scaler.mean,
        deviation=scaler.deviation,
        low=-infinite if scaler.low is None else scaler.low,
        high=infinite if scaler.high is None else scaler.high,
        hidden=hidden,
        hidden_bias=first.bias,
        output=last.weight,
        output_bias=last.bias,
        scores=scores,
        values=values,
        unknown=np.array([table.unknown for table in tables]),
        weights=np.array([[blend.weights for blend in state] for state in states]),
        intercepts=np.array([[blend.intercept for blend in state] for state in states]),
    )


class OwnModels:
    """Own models of several hosts, stacked into one array per parameter.

    Attributes:
        hosts: (n,) positions of the hosts, increasing.
    """

    def __init__(self, hosts: Integers | None = None, stacked: OwnModel | None = None) -> None:
        """Create a set of models, by default an empty one.

        Args:
            hosts: (n,) positions of the hosts, increasing.
            stacked: parameters of the models, each with a leading axis of length n; None if n is 0.
        """
        self.hosts: Integers = np.empty(0, np.intp) if hosts is None else hosts
        self._stacked = stacked

    def replaced(self, models: Mapping[int, OwnModel | None]) -> OwnModels:
        """Return the models with some replaced, keyed by the position of the host; None removes one."""
        if self._stacked is None and not any(models.values()):
            return self
        own = {host: self._row(row) for row, host in enumerate(self.hosts.tolist())} | dict(models)
        kept = {host: own[host] for host in sorted(own) if own[host] is not None}
        if not kept:
            return OwnModels()
        parameters = {
            field.name: np.stack([getattr(model, field.name) for model in kept.values()])
            for field in fields(OwnModel)
        }
        return OwnModels(np.array(list(kept), np.intp), OwnModel(**parameters))

    def take(self, hosts: Integers) -> OwnModels:
        """Return the models of hosts (n,), all of which have one."""
        if self._stacked is None or np.array_equal(hosts, self.hosts):
            return self
        rows = np.searchsorted(self.hosts, hosts)
        taken = {field.name: getattr(self._stacked, field.name)[rows] for field in fields(OwnModel)}
        return OwnModels(hosts, OwnModel(**taken))

    def _row(self, row: int) -> OwnModel:
        return OwnModel(**{field.name: getattr(self._stacked, field.name)[row] for field in fields(OwnModel)})

    def probabilities(self, x: Floats, high: Bools, shared: Floats) -> Floats:
        """Return the blended probabilities (hosts, horizons), which do not decrease with the horizon.

        Args:
            x: (hosts, features) features, one row per model.
            high: (hosts,) True during high load.
            shared: (hosts, horizons) log-odds of the shared model.

        Raises:
            ValueError: there are no models.
        """
        own = self._stacked
        if own is None:
            raise ValueError("no own models")
        logits = np.empty((*shared.shape, len(EXPERTS)))
        logits[..., NETWORK] = _network(own, x)
        logits[..., LOAD_TABLE] = _load_tables(own, x[:, 0].astype(np.float64))
        logits[..., PRETRAINED] = shared
        host = np.arange(len(x))
        state = high.astype(np.intp)
        terms = logits * own.weights[host, state]
        blended = terms.sum(axis=2) + own.intercepts[host, state]
        return np.asarray(np.maximum.accumulate(sigmoid(blended), axis=1))


def _load_tables(own: OwnModel, index: Floats) -> Floats:
    """Return the log-odds (hosts, horizons) of the load tables for load indices (hosts,), NaN if unknown."""
    scores = own.scores
    values = own.values
    at = np.where(np.isnan(index), 0, index)[:, None]
    below = np.sum(scores <= at[..., None], axis=2) - 1
    left = np.clip(below, 0, scores.shape[2] - 1)[..., None]
    right = np.minimum(left + 1, scores.shape[2] - 1)
    start, end = (np.take_along_axis(scores, place, axis=2)[..., 0] for place in (left, right))
    low, top = (np.take_along_axis(values, place, axis=2)[..., 0] for place in (left, right))
    inside = (below >= 0) & np.isfinite(end) & (end > start)
    share = np.divide(at - start, end - start, out=np.zeros_like(start), where=inside)
    return np.where(np.isnan(index)[:, None], own.unknown, low + share * (top - low))


def _network(own: OwnModel, x: Floats) -> Floats:
    """Return the log-odds (hosts, horizons) of the networks for features (hosts, features)."""
    z = (np.minimum(np.maximum(x, own.low), own.high) - own.mean) / own.deviation
    z[np.isnan(z)] = 0
    z /= np.sqrt(1 + np.square(z / np.float32(SOFT_LIMIT)))
    hidden = np.matmul(z[:, None], own.hidden)[:, 0] + own.hidden_bias
    np.maximum(hidden, 0, out=hidden)
    return np.asarray(np.matmul(hidden[:, None], own.output)[:, 0] + own.output_bias)

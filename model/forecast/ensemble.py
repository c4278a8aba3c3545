"""Ensemble: the mean of several networks over different features, and boosted trees.

A single network over all features overfits to a daily rhythm, even on a host whose load has none. Networks over
recent features, and networks with features of previous days, make different errors, which partly cancel in the mean.

The networks are of two kinds. Plain networks have a subset of the scaled features as inputs. Encoded networks have
all of them, and piecewise-linear codes of the most informative ones (`model.features.encoding`).

Boosted trees over all scaled features count as much as all networks together: they learn steps and interactions of
few features, for which networks need more events than a host has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model.array_types import Floats, Integers
from model.features.encoding import Encoding
from model.features.scaling import Scaler
from model.forecast.log_odds import FLOOR, logit, sigmoid
from model.nn.network import Network
from model.trees.boosted_trees import BoostedTrees

MIN_RUN = 1e-9
"""Distance of two points below which their secant slope is replaced by the derivative."""

TREES_SHARE = 0.5
"""Weight of the trees in the mean; the networks share the rest equally."""


@dataclass(frozen=True)
class Ensemble:
    """Networks whose predictions are averaged, with the scaler of their inputs.

    Attributes:
        scaler: scaler of the ensemble's inputs, applied before the networks.
        networks: networks with equal numbers of outputs.
        columns: for each network, the positions of its inputs among the inputs of the ensemble and their codes.
        selected: feature position of each input of the ensemble; several inputs may use the same feature. None if the
            inputs are all features.
        encoding: codes, whose positions follow those of the inputs; None for an ensemble without encoded networks.
        mean_of_probabilities: True to average probabilities, False to average logits, as earlier releases did.
        trees: boosted trees over the scaled inputs; None for an ensemble of networks only.
    """

    scaler: Scaler
    networks: tuple[Network, ...]
    columns: tuple[Integers, ...]
    selected: Integers | None = None
    encoding: Encoding | None = None
    mean_of_probabilities: bool = False
    trees: BoostedTrees | None = None

    def outputs(self, features: int) -> int:
        """Check the parts of the ensemble, and return the number of outputs.

        Args:
            features: number of features of the samples to predict.

        Raises:
            ValueError: there is no network, or the scaler, the networks, their columns and the trees do not fit
                together.
        """
        if not self.networks:
            raise ValueError("the model has no network")
        inputs = features
        if self.selected is not None:
            _check_positions(self.selected, features)
            inputs = len(self.selected)
        if any(array.shape != (inputs,) for array in self.scaler.arrays().values()):
            raise ValueError(f"the scaler does not fit the {inputs} inputs")
        if self.encoding is not None:
            self.encoding.check(inputs)
            inputs += len(self.encoding.inputs)
        outputs = self._network_outputs(inputs)
        if self.trees is not None:
            self.trees.check(len(self.scaler.mean), outputs)
        return outputs

    def _network_outputs(self, inputs: int) -> int:
        """Check the networks, and return their number of outputs, for a number of inputs and codes."""
        widths = set()
        for network, columns in zip(self.networks, self.columns, strict=True):
            _check_positions(columns, inputs)
            widths.add(network.layer_widths(len(columns))[-1])
        if len(widths) != 1:
            raise ValueError(f"networks with {sorted(widths)} outputs in one ensemble")
        return widths.pop()

    def predict(self, x: Floats) -> Floats:
        """Return the logits (rows, outputs) of the mean over the members, for features (rows, features)."""
        return self._mean(self._member_logits(self._encoded(x)))

    def attribute(self, x: Floats, reference: Floats) -> Floats:
        """Attribute the difference between the logits of two points to the features (`Network.attribute`).

        Args:
            x: (features,) unscaled features of a sample.
            reference: (features,) unscaled features of the point that the sample is compared with.

        Returns:
            (outputs, features); each row sums to the difference of one output.
        """
        points = np.stack([x, reference])
        encoded = self._encoded(points)
        multipliers = self._mean_multipliers(self._member_logits(encoded))
        scaled, scaled_reference = encoded
        features = np.arange(len(x)) if self.selected is None else self.selected
        if self.encoding is not None:
            features = np.concatenate((features, features[self.encoding.inputs]))
        outputs = multipliers.shape[1]
        # Several inputs, or an input and its codes, may use the same feature: sum their attributions.
        places = []
        parts = []
        first = 0
        for network, columns in zip(self.networks, self.columns, strict=True):
            of_inputs = network.attribute(scaled[columns], scaled_reference[columns])
            of_members = of_inputs.reshape(-1, outputs, len(columns))
            last = first + len(of_members)
            parts.append((multipliers[first:last, :, None] * of_members).sum(axis=0))
            places.append(features[columns])
            first = last
        if self.trees is not None:
            inputs = len(self.scaler.mean)
            parts.append(multipliers[-1][:, None] * self.trees.attribute(scaled[:inputs], scaled_reference[:inputs]))
            places.append(features[:inputs])
        cells = np.concatenate(places) + len(x) * np.arange(outputs)[:, None]
        attributions = np.bincount(cells.ravel(), np.concatenate(parts, axis=1).ravel(), outputs * len(x))
        return np.asarray(attributions.reshape(outputs, len(x)), np.float64)

    def reference_point(self, features: int) -> Floats:
        """Return the reference of `attribute`: the training mean (features,), 0 for features that are not inputs."""
        if self.selected is None:
            return self.scaler.mean
        point = np.zeros(features, np.float32)
        point[self.selected] = self.scaler.mean
        return point

    def _inputs(self, x: Floats) -> Floats:
        return x if self.selected is None else x.take(self.selected, axis=1)

    def _encoded(self, x: Floats) -> Floats:
        """Return the scaled inputs and their codes (rows, inputs + codes) for features (rows, features)."""
        scaled = self.scaler(self._inputs(x))
        return scaled if self.encoding is None else self.encoding(scaled)

    @property
    def members(self) -> int:
        """Number of members of the mean: the networks and the trees."""
        return len(self.networks) + (self.trees is not None)

    def _member_logits(self, encoded: Floats) -> Floats:
        """Return the logits (rows, members, outputs) for scaled inputs and codes; those of the trees are last."""
        logits = [self._network_logits(network, part) for network, part in self._network_inputs(encoded)]
        if self.trees is not None:
            logits.append(self.trees.predict(encoded))
        return np.concatenate(logits, axis=1).reshape(len(encoded), self.members, -1)

    def _network_logits(self, network: Network, x: Floats) -> Floats:
        """Return the outputs (rows, outputs) of a network for its inputs (rows, inputs)."""
        return network.predict(x)

    def _mean(self, logits: Floats) -> Floats:
        """Return the logits (rows, outputs) of the mean of logits (rows, members, outputs)."""
        # NumPy sums the members of a row in the same order for any number of rows.
        if self.mean_of_probabilities:
            return logit(self._average(sigmoid(logits.astype(np.float64))))
        return self._average(logits)

    def _average(self, values: Floats) -> Floats:
        """Return the weighted mean (rows, outputs) of values (rows, members, outputs), such as probabilities."""
        return np.asarray(values.mean(axis=1) if self.trees is None else self._shares @ values)

    @cached_property
    def _shares(self) -> Floats:
        """Weights (members,) of the members in the mean."""
        if self.trees is None:
            return np.full(self.members, 1 / self.members)
        networks = self.members - 1
        return np.append(np.full(networks, (1 - TREES_SHARE) / networks), TREES_SHARE)

    def _mean_multipliers(self, logits: Floats) -> Floats:
        """Return the DeepLIFT multipliers (members, outputs) of `_mean`: secant slopes between two points.

        Args:
            logits: (2, members, outputs) logits at both points.
        """
        if not self.mean_of_probabilities:
            return np.repeat(self._shares[:, None], logits.shape[2], axis=1)
        logits = logits.astype(np.float64)
        p = sigmoid(logits)
        mean = self._average(p)
        slope_of_logit = _secant(self._mean(logits), mean, 1 / np.maximum(mean * (1 - mean), FLOOR))
        return np.asarray(_secant(p, logits, p * (1 - p)) * slope_of_logit * self._shares[:, None])

    def _network_inputs(self, encoded: Floats) -> Iterator[tuple[Network, Floats]]:
        """Yield each network with its inputs (rows, inputs), from scaled inputs and codes (rows, inputs + codes)."""
        for network, columns in zip(self.networks, self.columns, strict=True):
            yield network, encoded if len(columns) == encoded.shape[1] else encoded[:, columns]


def _secant(y: Floats, x: Floats, slope: Floats) -> Floats:
    """Return the slope of y between two points, y and x (2, ...); the first given slope where the points coincide."""
    run = x[0] - x[1]
    flat = np.abs(run) < MIN_RUN
    return np.asarray(np.where(flat, slope[0], (y[0] - y[1]) / np.where(flat, 1, run)))


def _check_positions(positions: Integers, features: int) -> None:
    """Raise ValueError unless all positions (n,) are in [0, features)."""
    if positions.ndim != 1 or not ((positions >= 0) & (positions < features)).all():
        raise ValueError(f"a network has input positions outside 0 to {features - 1}")

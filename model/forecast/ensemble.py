"""Ensemble: several networks over different features, averaged in log-odds.

A single network over all features overfits to a daily rhythm, even on a host whose load has none. Networks over
recent features, and networks with features of previous days, make different errors, which partly cancel in the mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.nn.network import Network

SOFT_LIMIT = 4.0
"""Limit, in standard deviations, that large scaled inputs approach but never exceed (saturation)."""

TAIL_RATIO = 5e-4
"""Fraction of the training rows excluded from the training range of a heavy-tailed feature at each end."""


@dataclass(frozen=True)
class Scaler:
    """Feature scaler: clips features to their training range, standardises them and saturates outliers.

    Attributes:
        mean: (features,) float32 training mean.
        deviation: (features,) float32 standard deviation in training, with the floor of `fit_scaler`.
        low: (features,) float32 lower end of the training range, at most the mean; None for no clipping.
        high: (features,) float32 upper end of the training range, at least the mean; None for no clipping.
    """

    mean: Floats
    deviation: Floats
    low: Floats | None = None
    high: Floats | None = None

    def arrays(self) -> dict[str, Floats]:
        """Return the arrays by name; an array that is None is left out."""
        arrays = {"mean": self.mean, "deviation": self.deviation, "low": self.low, "high": self.high}
        return {name: array for name, array in arrays.items() if array is not None}

    def __call__(self, x: Floats) -> Floats:
        """Return the scaled features (rows, features); a missing value becomes 0.

        Values are clipped to [low, high], standardised to z = (x - mean) / deviation, and saturated to
        z / sqrt(1 + (z / SOFT_LIMIT)^2).
        """
        if self.low is not None and self.high is not None:
            x = np.minimum(np.maximum(x, self.low), self.high)
        z = (x - self.mean) / self.deviation
        z[np.isnan(z)] = 0
        return np.asarray(z / np.sqrt(1 + np.square(z / np.float32(SOFT_LIMIT))))


def fit_scaler(x: Floats) -> Scaler:
    """Fit a scaler without clipping: mean and standard deviation of each column of (rows, features), ignoring NaN.

    The deviation is at least 0.001 (1 + |mean|). Without this floor, a live value of an almost constant feature could
    be thousands of deviations from the mean.
    """
    known = ~np.isnan(x)
    count = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, x, 0).astype(np.float64)
    mean = filled.sum(axis=0) / count
    variance = (np.where(known, filled - mean, 0) ** 2).sum(axis=0) / count
    deviation = np.maximum(np.sqrt(variance), 1e-3 * (1 + np.abs(mean)))
    return Scaler(mean.astype(np.float32), deviation.astype(np.float32))


def fit_clipping_scaler(x: Floats, heavy_tailed: Bools) -> Scaler:
    """Fit a scaler that clips each column of (rows, features) to its training range, ignoring NaN.

    A column without a known value is clipped to its mean of 0, because the networks learn nothing from it.

    Args:
        x: (rows, features).
        heavy_tailed: (features,) True for columns whose range excludes TAIL_RATIO of the rows at each end, so that
            single outliers do not widen the range.
    """
    scaler = fit_scaler(x)
    # NaN is sorted to the end
    ordered = np.sort(x, axis=0)
    known = len(x) - np.isnan(ordered).sum(axis=0)
    left_out = np.where(heavy_tailed, known * TAIL_RATIO, 0).astype(np.intp)
    columns = np.arange(x.shape[1])
    low = np.where(known, ordered[left_out, columns], scaler.mean)
    high = np.where(known, ordered[np.maximum(known, 1) - 1 - left_out, columns], scaler.mean)
    return replace(scaler, low=np.minimum(low, scaler.mean), high=np.maximum(high, scaler.mean))


@dataclass(frozen=True)
class Ensemble:
    """Networks whose logits are averaged, with the scaler of their inputs.

    Attributes:
        scaler: scaler of the ensemble's inputs, applied before the networks.
        networks: networks with equal numbers of outputs.
        columns: for each network, the positions of its inputs among the inputs of the ensemble.
        selected: feature position of each input of the ensemble; several inputs may use the same feature. None if the
            inputs are all features.
    """

    scaler: Scaler
    networks: tuple[Network, ...]
    columns: tuple[Integers, ...]
    selected: Integers | None = None

    def outputs(self, features: int) -> int:
        """Check the parts of the ensemble, and return the number of outputs.

        Args:
            features: number of features of the samples to predict.

        Raises:
            ValueError: there is no network, or the scaler, the networks and their columns do not fit together.
        """
        if not self.networks:
            raise ValueError("the model has no network")
        inputs = features
        if self.selected is not None:
            _check_positions(self.selected, features)
            inputs = len(self.selected)
        if any(array.shape != (inputs,) for array in self.scaler.arrays().values()):
            raise ValueError(f"the scaler does not fit the {inputs} inputs")
        widths = set()
        for network, columns in zip(self.networks, self.columns, strict=True):
            _check_positions(columns, inputs)
            widths.add(network.layer_widths(len(columns))[-1])
        if len(widths) != 1:
            raise ValueError(f"networks with {sorted(widths)} outputs in one ensemble")
        return widths.pop()

    def predict(self, x: Floats) -> Floats:
        """Return the logits (rows, outputs), averaged over the networks, for features (rows, features)."""
        logits = [network.predict(part) for network, part in self._network_inputs(x)]
        total = logits[0]
        for other in logits[1:]:
            total = total + other
        return np.asarray(total / len(logits))

    def attribute(self, x: Floats, reference: Floats) -> Floats:
        """Attribute the difference between the mean logits of two points to the features (`Network.attribute`).

        Args:
            x: (features,) unscaled features of a sample.
            reference: (features,) unscaled features of the point that the sample is compared with.

        Returns:
            (outputs, features); each row sums to the difference of one output.
        """
        scaled, scaled_reference = self.scaler(self._inputs(np.stack([x, reference])))
        outputs = self.networks[0].parameters()[self.networks[0].names[-1]].size
        attributions = np.zeros((len(x), outputs))
        for network, columns in zip(self.networks, self.columns, strict=True):
            features = columns if self.selected is None else self.selected[columns]
            # Several inputs may use the same feature: sum their attributions.
            np.add.at(attributions, features, network.attribute(scaled[columns], scaled_reference[columns]).T)
        return np.asarray(attributions.T / len(self.networks))

    def reference_point(self, features: int) -> Floats:
        """Return the reference of `attribute`: the training mean (features,), 0 for features that are not inputs."""
        if self.selected is None:
            return self.scaler.mean
        point = np.zeros(features, np.float32)
        point[self.selected] = self.scaler.mean
        return point

    def _inputs(self, x: Floats) -> Floats:
        return x if self.selected is None else x[:, self.selected]

    def _network_inputs(self, x: Floats) -> Iterator[tuple[Network, Floats]]:
        """Yield each network with its scaled inputs (rows, inputs)."""
        scaled = self.scaler(self._inputs(x))
        for network, columns in zip(self.networks, self.columns, strict=True):
            yield network, scaled if len(columns) == scaled.shape[1] else scaled[:, columns]


def _check_positions(positions: Integers, features: int) -> None:
    """Raise ValueError unless all positions (n,) are in [0, features)."""
    if positions.ndim != 1 or not ((positions >= 0) & (positions < features)).all():
        raise ValueError(f"a network has input positions outside 0 to {features - 1}")

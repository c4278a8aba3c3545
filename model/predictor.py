"""Features, scaler, networks and calibration as one thing: trained, kept and served together.

Nothing that turns samples into a probability lives outside of it, so a model that was kept predicts what it
predicted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from model.activations import sigmoid
from model.arrays import Floats
from model.calibration import Calibration
from model.ensemble import Ensemble
from model.features import FeatureSpec, design
from model.history import History

KNEE = 4.0
"""Scaled inputs are squashed beyond about this many deviations."""


@dataclass(frozen=True)
class Scaler:
    """Centre and spread of each feature, (features,) float32."""

    mean: Floats
    deviation: Floats

    def __call__(self, x: Floats) -> Floats:
        """(rows, features) to squashed deviations; missing becomes 0, the centre.

        z / sqrt(1 + (z / 4)^2): a value never seen in training moves the network by at most 4 deviations.
        """
        z = (x - self.mean) / self.deviation
        z[np.isnan(z)] = 0
        return np.asarray(z / np.sqrt(1 + np.square(z / np.float32(KNEE))))


def fit_scaler(x: Floats) -> Scaler:
    """Mean and deviation of each column of (rows, features), leaving NaN out.

    The deviation has a floor: a feature that hardly moved in training would turn the first live value off its
    mean into thousands of deviations.
    """
    known = ~np.isnan(x)
    count = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, x, 0).astype(np.float64)
    mean = filled.sum(axis=0) / count
    variance = (np.where(known, filled - mean, 0) ** 2).sum(axis=0) / count
    deviation = np.maximum(np.sqrt(variance), 1e-3 * (1 + np.abs(mean)))
    return Scaler(mean.astype(np.float32), deviation.astype(np.float32))


@dataclass(frozen=True)
class Predictor:
    """The probability that high load occurs within each horizon.

    `base_rates`, `thresholds` and `calibrations` have one entry a horizon; a threshold of 1 never warns.
    `rehearsal` is its twin that learned without the newest part of the history, on which both can so be judged; None
    where it was not kept.
    """

    spec: FeatureSpec
    horizons: tuple[float, ...]
    scaler: Scaler
    ensemble: Ensemble
    calibrations: tuple[Calibration, ...]
    base_rates: tuple[float, ...]
    thresholds: tuple[float, ...]
    rehearsal: Predictor | None = field(default=None, repr=False)

    def probabilities(self, x: Floats) -> Floats:
        """Features (rows, features) as `design` makes them to probabilities (rows, horizons) float64.

        High load within 5 minutes is high load within 15: a further horizon is never below a nearer one.
        """
        logits = self.ensemble.predict(self.scaler(x))
        calibrated = np.empty(logits.shape)
        for i, calibration in enumerate(self.calibrations):
            calibrated[:, i] = calibration(logits[:, i])
        return np.asarray(np.maximum.accumulate(sigmoid(calibrated), axis=1))

    def predict(self, history: History) -> Floats:
        """Probabilities (horizons,) for the last moment of a history made by `spec.history()`."""
        return np.asarray(self.probabilities(self.features(history))[0])

    def features(self, history: History) -> Floats:
        """The features (1, features) of the last moment."""
        return design(self.spec, history, np.array([len(history) - 1]))

    def contributions(self, x: Floats) -> list[dict[str, float]]:
        """Each metric's share in the log-odds of each horizon, for one row of features (1, features).

        The shares add up to the difference between the calibrated log-odds of this moment and those of the
        moment at the centre of the training data (all features at their mean).
        """
        scaled = self.scaler(x)[0].astype(np.float64)
        slopes = np.array([[calibration.slope] for calibration in self.calibrations])
        shares = self.ensemble.attribute(scaled, np.zeros_like(scaled)) * slopes
        grouped = (shares @ self.spec.membership).tolist()
        return [dict(zip(self.spec.groups, row, strict=True)) for row in grouped]

"""Features, networks and what is made of them as one thing: trained, kept and served together.

Nothing that turns samples into a probability lives outside of it, so a model that was kept predicts what it
predicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from model.array_types import Bools, Floats
from model.features.dataset import features_at
from model.features.features import FeatureSpec, design_matrix
from model.features.rolling_window import RollingWindow
from model.forecast.blend import HorizonBlend
from model.forecast.ensemble import Ensemble
from model.forecast.fallback import FallbackDecision
from model.nn.numerics import logit, sigmoid

LEVEL = "level"
"""The share that is of no metric."""


@dataclass(frozen=True)
class Predictor:
    """The probability that high load occurs within each horizon.

    `voices`, `base_rates` and `thresholds` have one entry a horizon; a threshold of 1 never warns. `prior` was
    learned on other hosts, None where it has no say; `prior_share` is how much of the say it was thought to have
    before. `rehearsal` is its twin that learned without the newest part of the history, on which both can so be
    judged; None where it was not kept.
    """

    spec: FeatureSpec
    horizons: tuple[float, ...]
    ensemble: Ensemble
    blends: tuple[HorizonBlend, ...]
    base_rates: tuple[float, ...]
    thresholds: tuple[float, ...]
    prior: Ensemble | None = None
    pretrained_weight: float = 0.0
    holdout_model: Predictor | None = field(default=None, repr=False)

    def fused(self) -> Predictor:
        """The same, quicker for one moment (`Ensemble.fused`), without its twin."""
        prior = None if self.prior is None else self.prior.fused()
        return replace(self, ensemble=self.ensemble.fused(), prior=prior, holdout_model=None)

    def probabilities(self, x: Floats) -> Floats:
        """Features (rows, features) as `design` makes them to probabilities (rows, horizons) float64.

        High load within 5 minutes is high load within 15: a further horizon is never below a nearer one.
        """
        said, high = self.said(x), self.high(x)
        mixed = np.stack([blends(said[:, i], high) for i, blends in enumerate(self.blends)], axis=1)
        return np.asarray(np.maximum.accumulate(sigmoid(mixed), axis=1))

    def said(self, x: Floats) -> Floats:
        """What each voice says of features (rows, features): logits (rows, horizons, voices)."""
        index = x[:, self.spec.place["load_index:last"]].astype(np.float64)
        said = np.zeros((len(x), len(self.horizons), 3))
        said[..., 0] = self.ensemble.predict(x)
        for i, blends in enumerate(self.blends):
            said[:, i, 1] = blends.load_table(index)
        if self.prior is not None:
            said[..., 2] = self.prior.predict(x)
        return said

    def high(self, x: Floats) -> Bools:
        """(rows,) whether load is high."""
        return np.asarray(x[:, self.spec.place["load_index:state"]] == 1)

    def predict(self, history: RollingWindow) -> Floats:
        """Probabilities (horizons,) for the last moment of a history made by `spec.history()`."""
        return np.asarray(self.probabilities(self.features(history))[0])

    def features(self, history: RollingWindow) -> Floats:
        """The features (1, features) of the last moment."""
        return design_matrix(self.spec, history, np.array([len(history) - 1]))

    def contributions(
        self, x: Floats, final: Floats | None = None, by: Sequence[FallbackDecision] = ()
    ) -> list[dict[str, float]]:
        """Each metric's share in the log-odds of each horizon, for one row of features (1, features).

        The shares add up to the log-odds of this moment less those of the base rate. The networks' part is their
        move from the centre of what they learned from (`Network.attribute`), shared among what they see; what the
        table says of the present load is the load's own part; what is left is LEVEL, how far a moment at that centre
        is off the base rate.

        Args:
            x: (1, features).
            final: (1, horizons) probabilities that are told in the end; None for the model's own.
            by: what made them of the model's, for each horizon; empty for nothing.
        """
        said, high, centre = self.said(x)[0], bool(self.high(x)[0]), self.ensemble.centre(x.shape[1])
        usual = self.said(centre[None])[0]
        moved = [self.ensemble.attribute(x[0], centre)]
        if self.prior is not None:
            moved.append(self.prior.attribute(x[0], centre))
        told = logit(self.probabilities(x) if final is None else final)[0]
        found, load = [], self.spec.groups.index("load_index")
        for i, blends in enumerate(self.blends):
            weights = np.array((blends.high if high else blends.calm).weights)[[0, 2]]
            if by:
                weights = weights * by[i].slope(high=high)
            shares = (
                sum(weight * part[i] for weight, part in zip(weights, moved, strict=False)) @ self.spec.membership
            )
            base = float(logit(np.array(self.base_rates[i])))
            rest = float(told[i]) - base - float(weights @ (said[i] - usual[i])[[0, 2]])
            slope = by[i].slope(high=high) if by else 1.0
            table = slope * (blends.high if high else blends.calm).weights[1] * (float(said[i, 1]) - base)
            # where a baseline serves, all of it is the load's
            own = table if slope else rest
            shares[load] += own
            found.append({**dict(zip(self.spec.groups, shares.tolist(), strict=True)), LEVEL: rest - own})
        return found


def predict_at(predictor: Predictor, times: Floats, values: Floats, at: Floats) -> Floats:
    """What a predictor would have said at some moments of a history, (n, horizons); see `features_at`."""
    return predictor.probabilities(features_at(predictor.spec, times, values, at))

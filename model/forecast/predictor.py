"""Predictor: features, networks and blend of one model, trained, stored and served as a unit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from model.array_types import Bools, Floats
from model.features.dataset import features_at
from model.features.feature_spec import FeatureSpec
from model.forecast.blend import EXPERTS, BlendTable, HorizonBlend
from model.forecast.ensemble import Ensemble
from model.forecast.fused_ensemble import fuse
from model.forecast.log_odds import sigmoid
from model.forecast.persistence import PersistenceModel

NETWORK, LOAD_TABLE, PRETRAINED = range(len(EXPERTS))
"""Positions of the experts in arrays of expert logits."""


@dataclass(frozen=True)
class Predictor:
    """Model of the probability that high load occurs within each horizon.

    Attributes:
        spec: feature specification.
        horizons: seconds, increasing; the horizons of the spec for which the history had enough examples.
        ensemble: networks trained on this host.
        blends: load table and blend weights per horizon.
        base_rates: event rate of the training data per horizon.
        thresholds: probability at which a warning starts, per horizon; 1 for no warnings.
        pretrained: the pretrained model, adapted to the spec; None if it is not used.
        pretrained_weight: prior blend weight of the pretrained model.
        fitted_until: the networks and load tables were fitted on samples before this time (seconds since the epoch);
            None if the model was not fitted on this host, or comes from an older release.
        persistence: persistence model per horizon, None if the history had too little high load; empty in models from
            older releases.
        pretrained_horizons: horizons that the pretrained model predicts alone, because the history had too few
            examples; their outputs of `ensemble` are 0.
        holdout_model: the model fitted without the newest fold of the holdout, for evaluation; None if it was not
            loaded, or if there is none.
    """

    spec: FeatureSpec
    horizons: tuple[float, ...]
    ensemble: Ensemble
    blends: tuple[HorizonBlend, ...]
    base_rates: tuple[float, ...]
    thresholds: tuple[float, ...]
    pretrained: Ensemble | None = None
    pretrained_weight: float = 0.0
    fitted_until: float | None = None
    persistence: tuple[PersistenceModel | None, ...] = ()
    pretrained_horizons: tuple[float, ...] = ()
    holdout_model: Predictor | None = field(default=None, repr=False)

    @property
    def is_bootstrap(self) -> bool:
        """True for the pretrained model alone: it was not fitted on this host, and its only input is the load."""
        return self.fitted_until is None and not self.spec.inputs

    def fused(self) -> Predictor:
        """Return the predictor for serving, with fused ensembles and without the holdout model (see `fuse`)."""
        pretrained = None if self.pretrained is None else fuse(self.pretrained)
        return replace(self, ensemble=fuse(self.ensemble), pretrained=pretrained, holdout_model=None)

    def probabilities(self, x: Floats) -> Floats:
        """Return the probabilities (rows, horizons), float64, for features (rows, features).

        Probabilities do not decrease with the horizon: high load within 5 minutes is also within 15 minutes.
        """
        return self.blend(self.expert_logits(x), self.is_high(x))

    def blend(self, logits: Floats, high: Bools) -> Floats:
        """Return the blended probabilities (rows, horizons), which do not decrease with the horizon.

        Args:
            logits: (rows, horizons, experts) logits of the experts.
            high: (rows,) True during high load.
        """
        blended = self._blend_table(logits, high)
        return np.asarray(np.maximum.accumulate(sigmoid(blended), axis=1))

    def expert_logits(self, x: Floats) -> Floats:
        """Return the logits (rows, horizons, experts) of each expert for features (rows, features).

        The logits of the pretrained model are 0 if it is not used.
        """
        index = x[:, self.spec.column_index["load_index:last"]].astype(np.float64)
        logits = np.zeros((len(x), len(self.horizons), len(EXPERTS)))
        logits[..., NETWORK] = self.ensemble.predict(x)
        for i, blend in enumerate(self.blends):
            logits[:, i, LOAD_TABLE] = blend.load_table(index)
        if self.pretrained is not None:
            logits[..., PRETRAINED] = self.pretrained.predict(x)
        return logits

    @cached_property
    def reference(self) -> Floats:
        """Reference (features,) of the attributions: see `Ensemble.reference_point`."""
        return self.ensemble.reference_point(len(self.spec.names))

    @cached_property
    def reference_logits(self) -> Floats:
        """Logits (horizons, experts) of each expert at `reference`."""
        return np.asarray(self.expert_logits(self.reference[None])[0])

    @cached_property
    def _blend_table(self) -> BlendTable:
        return BlendTable(self.blends)

    def is_high(self, x: Floats) -> Bools:
        """Return a mask (rows,) of the samples during high load, for features (rows, features)."""
        return np.asarray(x[:, self.spec.column_index["load_index:state"]] == 1)


def predict_at(predictor: Predictor, times: Floats, values: Floats, at: Floats) -> Floats:
    """Return the probabilities (n, horizons) for the samples at the times `at` (n,); see `features_at`."""
    return predictor.probabilities(features_at(predictor.spec, times, values, at))

"""Prior: distribution of the excursions of other resources, for one whose own history is short."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.capacity.prior_values import VALUES
from model.forecast.calibration import Calibration


@dataclass(frozen=True)
class ExcursionPrior:
    """Regression weights, residuals and calibration, pooled over resources.

    Attributes:
        weights: (features,) regression weights.
        residuals: (q,) residuals at equally spaced probabilities, in units of the activity.
        calibration: correction of the probabilities of fitted models.
    """

    weights: Floats
    residuals: Floats
    calibration: Calibration


def prior_for(horizon: float) -> ExcursionPrior:
    """Return the prior of the horizon in seconds, or of the most similar one that has a prior."""
    nearest = min(VALUES, key=lambda known: abs(np.log(known / horizon)))
    weights, residuals, (slope, intercept) = VALUES[nearest]
    return ExcursionPrior(np.array(weights), np.array(residuals), Calibration(slope, intercept))

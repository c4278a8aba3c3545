"""Priors: shapes, and the choice by horizon."""

import numpy as np
import pytest

from model.capacity.excursions import FEATURES
from model.capacity.prior import prior_for
from model.capacity.prior_values import VALUES
from model.units import DAY, HOUR

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("horizon", sorted(VALUES))
def test_prior_has_one_weight_per_feature_and_sorted_residuals(horizon):
    prior = prior_for(horizon)
    assert prior.weights.shape == (len(FEATURES),)
    assert (np.diff(prior.residuals) >= 0).all()
    assert 0.5 < prior.calibration.slope < 2


def test_prior_for_another_horizon_is_that_of_the_nearest():
    np.testing.assert_array_equal(prior_for(2 * DAY).weights, prior_for(DAY).weights)
    np.testing.assert_array_equal(prior_for(0.5 * HOUR).weights, prior_for(HOUR).weights)

"""Tests of `model.nn.diagnostics.divergence`."""

import numpy as np
import pytest

from model.errors import DivergedError
from model.nn.diagnostics.divergence import MAX_NONFINITE_STEPS, DivergenceCheck

pytestmark = pytest.mark.unit

WEIGHTS = np.ones(3)


@pytest.mark.parametrize(
    ("train_loss", "monitored_loss", "weights"),
    [
        (7.1, 0.5, WEIGHTS),
        (np.nan, 0.5, WEIGHTS),
        (0.5, np.nan, WEIGHTS),
        (0.5, np.inf, WEIGHTS),
        (0.5, 0.5, np.array([1.0, np.inf])),
    ],
)
def test_epoch_with_high_or_non_finite_values_counts_as_diverged(train_loss, monitored_loss, weights):
    with pytest.raises(DivergedError):
        DivergenceCheck(0.7).check_epoch(1, train_loss, monitored_loss, weights)


def test_epoch_may_reach_ten_times_the_initial_loss():
    DivergenceCheck(0.7).check_epoch(1, 7.0, 0.5, WEIGHTS)
    DivergenceCheck(1e-9).check_epoch(1, 1.0, 0.5, WEIGHTS)


def test_last_step_with_a_high_loss_counts_as_diverged():
    DivergenceCheck(0.7).check_last_step(7.0)
    with pytest.raises(DivergedError):
        DivergenceCheck(0.7).check_last_step(7.1)


def test_some_non_finite_gradients_are_tolerated():
    DivergenceCheck(0.7).check_nonfinite_steps(MAX_NONFINITE_STEPS)
    with pytest.raises(DivergedError):
        DivergenceCheck(0.7).check_nonfinite_steps(MAX_NONFINITE_STEPS + 1)


def test_error_names_the_setting_to_change():
    with pytest.raises(DivergedError, match=r"training\.learning_rate"):
        DivergenceCheck(0.7).check_last_step(np.nan)

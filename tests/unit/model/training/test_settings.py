"""Retraining interval and epochs of a training."""

import math

import pytest

from model.training.settings import MIN_RETRAIN_DELAY, Recipe, retrain_delay
from model.units import DAY, HOUR

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("history", "interval", "delay"),
    [(8 * HOUR, DAY, 2 * HOUR), (30 * DAY, DAY, DAY), (60.0, DAY, MIN_RETRAIN_DELAY), (DAY, None, math.inf)],
)
def test_retrain_delay_is_a_quarter_of_the_history_within_limits(history, interval, delay):
    assert retrain_delay(history, interval) == delay


def test_recipe_counts_the_epochs_of_both_fits():
    assert Recipe(networks=3).epochs == 2 * 3 * Recipe().fit.epochs

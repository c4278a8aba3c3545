"""Retraining interval."""

import math

import pytest

from model.training.settings import MIN_RETRAIN_DELAY, retrain_delay
from model.units import DAY, HOUR

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("history", "interval", "delay"),
    [(8 * HOUR, DAY, 2 * HOUR), (30 * DAY, DAY, DAY), (60.0, DAY, MIN_RETRAIN_DELAY), (DAY, None, math.inf)],
)
def test_retrain_delay_is_a_quarter_of_the_history_within_limits(history, interval, delay):
    assert retrain_delay(history, interval) == delay

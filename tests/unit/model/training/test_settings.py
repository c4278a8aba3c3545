"""Ensemble recipe and retraining interval."""

import math

import pytest

from model.nn.fit_config import FitConfig
from model.training.settings import MIN_RETRAIN_DELAY, Recipe, retrain_delay
from model.units import DAY, HOUR

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("history", "interval", "delay"),
    [(8 * HOUR, DAY, 2 * HOUR), (30 * DAY, DAY, DAY), (60.0, DAY, MIN_RETRAIN_DELAY), (DAY, None, math.inf)],
)
def test_retrain_delay_is_a_quarter_of_the_history_within_limits(history, interval, delay):
    assert retrain_delay(history, interval) == delay


@pytest.mark.parametrize(("networks", "encoded"), [(8, 4), (3, 1), (1, 0)])
def test_half_of_the_networks_of_a_recipe_are_encoded(networks, encoded):
    recipe = Recipe(networks=networks)
    assert recipe.encoded_networks == encoded
    assert recipe.fits == (recipe.fit,) * (networks - encoded) + (recipe.encoded_fit,) * encoded


def test_recipe_derives_the_fit_of_encoded_networks():
    fit = FitConfig(epochs=9, batch_size=64, learning_rate=1e-3, weight_decay=0.02, gradient_clip=3.0)
    encoded = Recipe(fit=fit).encoded_fit
    assert (encoded.epochs, encoded.batch_size, encoded.learning_rate, encoded.gradient_clip) == (5, 32, 2e-3, 3.0)
    optimizer = encoded.new_optimizer(7)
    assert (optimizer.beta2, optimizer.weight_decay, optimizer.decayed) == (0.99, pytest.approx(0.06), 7)
    assert Recipe(fit=FitConfig(optimizer="sgd")).encoded_fit.optimizer == "sgd"

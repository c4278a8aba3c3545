"""Models of a fleet for the tests."""

import numpy as np

from model.forecast.fleet.own_models import OwnModel
from monitor.config.loader import Config
from monitor.fleet.forecasting.factory import shared_predictor

COLUMNS = ("cpu_usage", "memory_usage")


def make_own(predictor, *, bias=0.0):
    features, horizons = len(predictor.spec.names), len(predictor.horizons)
    ones = np.ones(features, np.float32)
    return OwnModel(
        mean=0 * ones,
        deviation=ones,
        low=-ones,
        high=ones,
        hidden=np.zeros((features, 4), np.float32),
        hidden_bias=np.zeros(4, np.float32),
        output=np.zeros((4, horizons), np.float32),
        output_bias=np.full(horizons, bias, np.float32),
        scores=np.tile(np.arange(20.0), (horizons, 1)),
        values=np.zeros((horizons, 20)),
        unknown=np.zeros(horizons),
        weights=np.tile([1.0, 0.0, 0.0], (2, horizons, 1)),
        intercepts=np.zeros((2, horizons)),
    )


def make_predictor():
    return shared_predictor(Config(), COLUMNS, 60.0)

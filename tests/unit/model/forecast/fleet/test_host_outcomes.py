"""Outcomes of many hosts: base rates."""

import numpy as np
import pytest

from model.forecast.fleet.host_outcomes import MIN_BASE_RATE_HORIZONS, HostOutcomes
from tests.unit.model.forecast.fleet.test_forecast_block import STEP, make_predictor

pytestmark = pytest.mark.unit


def test_base_rate_of_few_outcomes_is_unknown():
    predictor = make_predictor()
    outcomes = HostOutcomes(predictor, 2)
    needed = round(MIN_BASE_RATE_HORIZONS * predictor.horizons[0] / STEP)
    columns = len(predictor.horizons)
    outcomes.set_base_rate(0, np.ones((needed - 1, columns)))
    outcomes.set_base_rate(1, np.ones((needed, columns)))
    rates = outcomes.base_rates(np.array([0, 1]))
    assert np.isnan(rates[0]).all()
    assert rates[1, 0] == 1.0
    assert np.isnan(rates[1, 1:]).all()


def test_unknown_outcomes_do_not_count_for_a_base_rate():
    predictor = make_predictor()
    outcomes = HostOutcomes(predictor, 1)
    outcomes.set_base_rate(0, np.full((10_000, len(predictor.horizons)), np.nan))
    assert np.isnan(outcomes.base_rates(np.array([0]))).all()

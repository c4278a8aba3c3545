"""Readings: rows with short histories, and models that depend on readings and seed only."""

import numpy as np
import pytest

from model.forecast.pretrained import DAY_FEATURES, input_names
from model.training.fleet.readings import Reading, examples, fit_pretrained

pytestmark = pytest.mark.unit

STEP = 300.0


def make_rows(rows=400):
    rng = np.random.default_rng(3)
    times = STEP * np.arange(3000)
    index = np.clip(0.6 + 0.5 * (np.arange(3000) % 200 < 8) + rng.normal(0, 0.1, 3000), 0, 2)
    return examples(times, index, STEP, 0.0, rng, rows)


def test_half_of_the_rows_have_a_short_history():
    x, y = make_rows()
    names = input_names(STEP)
    last = x[:, names.index(DAY_FEATURES[0])]
    assert 0.1 < np.isnan(last).mean() < 0.6
    assert len(x) == len(y) == 400
    assert set(np.unique(y[~np.isnan(y)])) == {0, 1}


def test_equal_readings_and_seeds_give_equal_models():
    x, y = make_rows(200)
    parts = [Reading(x, y, typical=True)]
    first, second, other = fit_pretrained(parts, 0), fit_pretrained(parts, 0), fit_pretrained(parts, 1)
    rows = first.scaler(x)
    np.testing.assert_array_equal(first.networks[0].predict(rows), second.networks[0].predict(rows))
    assert not np.array_equal(first.networks[0].predict(rows), other.networks[0].predict(rows))
    # Horizons below the step have no labels: their outputs learn those of five minutes.
    rates = np.nanmean(y[:, 2:], axis=0)
    np.testing.assert_allclose(first.base_rates, [rates[0], rates[0], *rates], rtol=1e-5)

"""Holt-Winters smoothing over time buckets, extended in steps."""

import numpy as np
import pytest

from model.forecast.baselines import holt_winters
from model.forecast.smoothing import SMOOTHINGS, SeasonalSmoother, best_smoothing, horizon_offsets
from model.units import DAY

pytestmark = pytest.mark.unit

HORIZONS = (900.0, 3600.0, 2 * DAY)


def make_load(rows=6000, step=60.0, seed=0):
    rng = np.random.default_rng(seed)
    times = 1.7e9 + step * np.arange(rows) + rng.uniform(0, step / 4, rows)
    times[rows // 3 :] += 7000.0
    times[2 * rows // 3 :] += 2.7 * DAY
    load = rng.random(rows)
    load[rng.random(rows) < 0.1] = np.nan
    load[50:90] = np.nan
    return times, load


def collect(times, load, size, width=300.0):
    smoother = SeasonalSmoother(width, HORIZONS)
    parts = []
    for start in range(0, len(times), size):
        part = slice(start, start + size)
        smoother.extend(times[part], load[part])
        parts.append(smoother.forecasts(np.arange(len(times[part]))))
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_extend_in_steps_equals_extend_at_once_bit_for_bit(size):
    times, load = make_load()
    assert np.ascontiguousarray(collect(times, load, size)).tobytes() == collect(times, load, len(times)).tobytes()


def test_forecasts_equal_holt_winters_for_a_sample_per_bucket():
    times = np.arange(0, 4 * DAY, 300.0)
    load = np.random.default_rng(0).random(len(times))
    forecasts = collect(times, load, len(times))
    for smoothing, weights in enumerate(SMOOTHINGS):
        expected = holt_winters(times, load, HORIZONS[:2], *weights)
        assert forecasts[smoothing, 1:, :2] == pytest.approx(expected[1:])


def test_later_samples_do_not_change_forecasts():
    times, load = make_load()
    changed = load.copy()
    changed[3000:] = 5.0
    before = collect(times, load, len(times))[:, :3000]
    after = collect(times, changed, len(times))[:, :3000]
    assert np.array_equal(before, after, equal_nan=True)


def test_unknown_load_has_no_forecast():
    times, load = make_load()
    assert np.array_equal(np.isnan(collect(times, load, 50)[0, :, 0]), np.isnan(load))


def test_gap_of_years_is_bridged_by_whole_seasons():
    times = np.append(np.arange(0, 2 * DAY, 300.0), 1000 * DAY)
    load = np.append((times[:-1] % DAY < 3600).astype(float), 0.2)
    assert np.isfinite(collect(times, load, len(times))[:, -1]).all()


def test_horizon_offsets_are_spread_and_end_with_the_horizon():
    assert horizon_offsets(900.0, 300.0, 288).tolist() == [1, 2, 3]
    assert horizon_offsets(86_400.0, 300.0, 288)[-1] == 288
    assert len(horizon_offsets(86_400.0, 300.0, 288)) == 12
    assert horizon_offsets(10 * DAY, 300.0, 288)[-1] == 288


def test_best_smoothing_has_the_smallest_error_on_known_outcomes():
    y = np.array([0.0, 1.0, 0.0, 1.0, np.nan])
    forecasts = np.stack([np.full(5, 0.5), np.array([0.1, 0.9, 0.1, 0.9, 0.0]), np.array([0.9, 0.1, 0.9, 0.1, 1.0])])
    assert best_smoothing(forecasts, y, lambda score, _: score) == 1
    assert best_smoothing(forecasts, y) == 1

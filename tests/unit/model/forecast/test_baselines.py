"""Baselines: conventional predictions and their probabilities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.forecast.baselines import (
    baseline_probabilities,
    climatology_and_persistence,
    holt_winters,
    linear_forecast,
)
from model.units import DAY

pytestmark = pytest.mark.unit


def test_linear_forecast_continues_a_line_and_needs_two_values():
    times = np.arange(0, 7200, 60.0)
    values = 0.2 + times / 10_000
    result = linear_forecast(times, values, 900)
    assert np.isnan(result[0])
    assert result[1:] == pytest.approx(values[1:] + 0.09)


def test_linear_forecast_uses_the_known_values_of_half_an_hour():
    times = np.arange(0, 14_400, 60.0)
    values = np.where(times < 7200, 5.0, 0.001 * (times - 7200))
    values[130:140] = np.nan
    result = linear_forecast(times, values, 600)
    late = times > 7200 + 1800
    assert result[late] == pytest.approx(0.001 * (times[late] - 7200 + 600))


def test_holt_winters_predicts_a_daily_season():
    step = 600.0
    times = np.arange(0, 6 * DAY, step)
    values = np.where((times % DAY) // 3600 == 9, 1.2, 0.3)
    result = holt_winters(times, values, (1800,), 0.2, 0.3)[:, 0]
    last = times >= 5 * DAY
    soon = last & ((times % DAY) >= 8.6 * 3600) & ((times % DAY) < 9 * 3600)
    calm = last & ((times % DAY) >= 12 * 3600) & ((times % DAY) < 20 * 3600)
    assert result[soon].min() > 0.8
    assert result[calm].max() < 0.6


def test_holt_winters_ignores_missing_values():
    times = np.delete(np.arange(0, 2 * DAY, 600.0), np.arange(100, 150))
    values = np.full(len(times), 0.5)
    values[40:60] = np.nan
    result = holt_winters(times, values, (3600,), 0.5, 0.1)[:, 0]
    assert np.isnan(result[40:60]).all()
    assert result[60:] == pytest.approx(0.5)


@pytest.mark.parametrize("start", [0.0, 1.8e9])
@pytest.mark.parametrize("odd", [[], [-1.7e9], [2e9]], ids=["none", "long before", "long after"])
def test_baselines_do_not_depend_on_a_sample_that_is_years_off(start, odd):
    rng = np.random.default_rng(0)
    regular = np.arange(0, DAY, 60.0)
    values = rng.uniform(0, 1, len(regular))
    times = start + np.sort(np.concatenate([odd, regular]))
    own = np.isin(times - start, regular)
    all_values = np.full(len(times), 0.5)
    all_values[own] = values
    line = linear_forecast(times, all_values, 300.0)[own]
    assert line == pytest.approx(linear_forecast(regular, values, 300.0), nan_ok=True)
    if not odd or odd[0] > 0:
        season = holt_winters(times, all_values, (3600.0,), 0.5, 0.1)[own]
        assert season == pytest.approx(holt_winters(regular, values, (3600.0,), 0.5, 0.1))


@given(
    start=st.sampled_from([0.0, 1.8e9]),
    steps=st.lists(st.sampled_from([3e-7, 1e-3, 1.0, 60.0, 600.0, DAY, 1e9]), min_size=1, max_size=30),
)
@settings(deadline=None, max_examples=50)
def test_forecasts_are_finite_or_missing_for_any_times(start, steps):
    times = np.unique(start + np.cumsum(np.array(steps)))
    values = np.linspace(0, 1, len(times))
    for forecast in (linear_forecast(times, values, 300.0), holt_winters(times, values, (300.0,), 0.5, 0.1)):
        assert len(forecast) == len(times)
        assert not np.isinf(forecast).any()


def trace(days=8, step=600.0):
    times = np.arange(0, days * DAY, step)
    rng = np.random.default_rng(0)
    index = np.where((times % DAY) // 3600 == 9, 1.3, 0.4) + rng.normal(0, 0.05, len(times))
    state = (index >= 1).astype(float)
    labels = np.stack([[state[i + 1 : i + 1 + n].any() for i in range(len(times))] for n in (1, 6)], axis=1)
    return times, index, state, labels.astype(float)


def test_probabilities_are_past_event_rates_of_the_scores():
    times, index, state, labels = trace()
    past = len(times) // 2
    result = baseline_probabilities(times, index, state, labels, (600.0, 3600.0), past)
    assert set(result) == {"climatology", "threshold now", "current value", "predict_linear", "Holt-Winters"}
    for name, p in result.items():
        assert p.shape == (len(times) - past, 2), name
        assert ((p >= 0) & (p <= 1)).all(), name
    assert np.allclose(result["climatology"], labels[:past].mean(axis=0))
    high = state[past:] == 1
    for value, rows in ((1, high), (0, ~high)):
        followed = labels[:past][state[:past] == value].mean(axis=0)
        assert result["threshold now"][rows] == pytest.approx(np.tile(followed, (rows.sum(), 1)))
    brier = {name: float(np.mean((p - labels[past:]) ** 2)) for name, p in result.items()}
    assert brier["Holt-Winters"] < 0.7 * min(brier["climatology"], brier["threshold now"])


@pytest.mark.parametrize("days", [1, 8])
def test_later_samples_do_not_change_baselines(days):
    times, index, state, labels = trace(days)
    past, cut = len(times) // 2, len(times) * 3 // 4
    known = labels.copy()
    known[past:] = np.nan
    expected = baseline_probabilities(times, index, state, known, (600.0, 3600.0), past)
    spoiled = index.copy()
    spoiled[cut:] = 9.0
    result = baseline_probabilities(times, spoiled, state, known, (600.0, 3600.0), past)
    for name, p in expected.items():
        assert np.array_equal(result[name][: cut - past], p[: cut - past]), name


def test_unknown_score_has_the_base_rate():
    times, _, _, labels = trace(2)
    unknown = np.full(len(times), np.nan)
    result = baseline_probabilities(times, unknown, unknown, labels, (600.0, 3600.0), len(times) // 2)
    base = labels[: len(times) // 2].mean(axis=0)
    for name in ("threshold now", "current value", "predict_linear", "Holt-Winters"):
        assert result[name] == pytest.approx(np.tile(base, (len(times) - len(times) // 2, 1))), name


def test_persistence_is_the_event_rate_of_the_same_load_state():
    state = np.array([1.0] * 10 + [0.0] * 10)
    y = np.array([1.0] * 8 + [0.0] * 2 + [1.0] + [0.0] * 9)[:, None]
    result = climatology_and_persistence(y, state, np.array([1.0, 0.0, np.nan]))
    assert result["persistence"][:, 0] == pytest.approx([8.45 / 11, 1.45 / 11, 0.45])
    assert result["climatology"][:, 0] == pytest.approx([0.45] * 3)


def test_rates_of_a_horizon_without_a_known_label_are_unknown():
    labels = np.array([[1.0, np.nan], [0.0, np.nan]])
    result = climatology_and_persistence(labels, np.array([0.0, 1.0]), np.array([0.0]))
    assert result["climatology"][0, 0] == 0.5
    assert np.isnan([result["climatology"][0, 1], result["persistence"][0, 1]]).all()

"""Warning hysteresis."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from model.features.labels import Rules
from model.forecast.log_odds import logit
from model.forecast.online import OnlineEngine
from model.forecast.online.hysteresis import (
    WarningHysteresis,
    release_threshold,
    replay_warnings,
    start_threshold,
)
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model

pytestmark = pytest.mark.unit

STEP = 10.0
HORIZON = 300.0
SUSTAINED = 15.0
NAN = float("nan")


def update(hysteresis, probabilities, threshold, *, high=None, first=0):
    """Feed samples of one host and horizon; return the warnings as 0 and 1."""
    p = np.asarray(probabilities, float)[None, :, None]
    times = STEP * (first + np.arange(p.shape[1], dtype=float))[None]
    start = np.full(p.shape, threshold)
    in_period = np.zeros(times.shape, bool) if high is None else np.array(high, bool)[None]
    last_high = np.maximum.accumulate(np.where(in_period, times, -np.inf), axis=1)
    states = hysteresis.update(times, p, (start, release_threshold(start)), in_period, last_high)[1]
    return states[0, :, 0].astype(int).tolist()


def states(probabilities, threshold, *, high=None):
    return update(WarningHysteresis(1, (HORIZON,), SUSTAINED), probabilities, threshold, high=high)


def test_warning_starts_at_its_threshold_and_continues_half_a_unit_of_log_odds_below():
    assert states([0.5, 0.79, 0.8, 0.75, 0.72, 0.72, 0.72, 0.72], 0.8) == [0, 0, 1, 1, 1, 1, 1, 1]


def test_warning_ends_after_the_hold_time_below_the_release_threshold():
    p = [0.8, 0.1, 0.1, 0.75, 0.1, NAN, 0.1, 0.75, 0.8]
    assert states(p, 0.8) == [1, 1, 1, 1, 1, 1, 0, 0, 1]


def test_hold_time_is_a_tenth_of_a_long_horizon():
    hysteresis = WarningHysteresis(1, (20 * HORIZON,), SUSTAINED)
    assert update(hysteresis, [0.8, *[0.1] * 62], 0.8)[58:] == [1, 1, 0, 0, 0]


def test_infinite_threshold_never_warns_and_ends_a_warning():
    hysteresis = WarningHysteresis(1, (HORIZON,), SUSTAINED)
    assert update(hysteresis, [0.9], 0.8) == [1]
    assert update(hysteresis, [1.0, 1.0], np.inf, first=1) == [0, 0]


def test_warning_ends_at_the_onset_and_does_not_start_during_high_load():
    assert states([0.9] * 6, 0.8, high=[0, 0, 1, 1, 1, 1]) == [1, 1, 0, 0, 0, 0]


def test_no_warning_after_a_period_until_the_probability_was_low_for_the_hold_time():
    high = [1, 1, *[0] * 9]
    p = [0.9, 0.9, 0.9, 0.9, 0.1, 0.9, 0.1, 0.1, 0.1, 0.9, 0.9]
    assert states(p, 0.8, high=high) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]


def test_warning_after_a_period_may_start_after_one_horizon_of_calm():
    rows = int(HORIZON / STEP)
    warnings = states([0.9] * (rows + 3), 0.8, high=[1, *[0] * (rows + 2)])
    assert warnings == [*[0] * rows, 1, 1, 1]


def test_inherit_takes_over_the_warnings_of_shared_horizons():
    previous = WarningHysteresis(1, (HORIZON,), SUSTAINED)
    update(previous, [0.9], 0.8)
    successor = WarningHysteresis(1, (60.0, HORIZON), SUSTAINED)
    successor.inherit(previous)
    p = np.full((1, 1, 2), 0.75)
    start = np.full(p.shape, 0.8)
    calm = np.zeros((1, 1), bool), np.full((1, 1), -np.inf)
    before, now = successor.update(np.array([[10.0]]), p, (start, release_threshold(start)), *calm)
    assert before[0, 0].tolist() == now[0, 0].tolist() == [False, True]


def test_release_threshold_is_half_a_unit_of_log_odds_lower():
    assert release_threshold(np.array([0.8, np.inf])) == pytest.approx([0.708, np.inf], abs=1e-3)


def noisy_period(seed, level):
    """Six hours at 5 s with one high-load period of 27 minutes; CPU usage has a standard deviation of 0.08."""
    elapsed = np.arange(0.0, 6 * 3600.0, 5.0)
    period = (elapsed >= 4 * 3600) & (elapsed < 4 * 3600 + 27 * 60)
    noise = np.random.default_rng(seed).normal(0, 0.08, len(elapsed))
    return 1.7e9 + elapsed, np.clip(np.where(period, level, 0.3) + noise, 0, 1)


def test_noise_rarely_toggles_a_warning_in_a_high_load_period():
    rules = Rules(((("cpu_usage", 0.85),),), 60.0)
    predictor = bootstrap_predictor(
        bundled_pretrained_model(), ("cpu_usage",), rules, (300.0, 900.0, 3600.0), 5.0, 0.8
    )
    # Low thresholds, so that every horizon warns.
    predictor = replace(predictor, thresholds=(0.3, 0.4, 0.5))
    naive, warned, active = [], [], []
    for seed, level in product(range(4), (0.9, 0.93)):
        engine = OnlineEngine(predictor.spec, predictor)
        times, usage = noisy_period(seed, level)
        engine.advance(times[None], usage[None, :, None])
        forecast = engine.forecast()
        naive.append(toggles(forecast.probabilities[0] >= predictor.thresholds).max())
        warned.append(toggles(forecast.warnings[0]).max())
        in_period = np.isfinite(forecast.period_start[0])
        active.append(toggles(in_period))
        assert not forecast.warnings[0, in_period].any()
    assert set(active) == {2}
    assert np.median(naive) > 10
    assert np.median(warned) == 2
    assert max(warned) <= 4


def toggles(states):
    return np.abs(np.diff(states.astype(int), axis=0)).sum(axis=0)


def test_start_threshold_is_between_the_release_threshold_and_the_target_precision():
    start = start_threshold(0.8)
    assert float(logit(np.array(0.8)) - logit(np.array(start))) == pytest.approx(0.5)
    assert float(release_threshold(np.array(start))) < start < 0.8


@pytest.mark.parametrize("seed", range(12))
def test_replay_of_one_host_equals_the_updates_row_by_row(seed):
    rng = np.random.default_rng(seed)
    rows, horizon, sustained = 600, 300.0, 60.0
    times = np.cumsum(rng.choice([5.0, 10.0, 400.0], rows, p=[0.8, 0.19, 0.01]))
    probabilities = np.clip(0.5 + 0.4 * np.sin(np.arange(rows) / 25) + 0.2 * rng.normal(size=rows), 0.0, 1.0)
    start = np.where(rng.random(rows) < 0.02, np.inf, 0.7)
    in_period = np.convolve(rng.random(rows) < 0.004, np.ones(30), "full")[:rows] > 0
    last_high = np.maximum.accumulate(np.where(in_period, times, -np.inf))
    release = release_threshold(start)
    _, expected = WarningHysteresis(1, (horizon,), sustained).update(
        times[None],
        probabilities[None, :, None],
        (start[None, :, None], release[None, :, None]),
        in_period[None],
        last_high[None],
    )
    replayed = replay_warnings(times, probabilities, start, in_period, last_high, horizon, sustained)
    assert replayed.tolist() == expected[0, :, 0].tolist()
    assert 0 < replayed.sum() < rows


def test_replay_of_no_rows_is_empty():
    empty = np.empty(0)
    assert len(replay_warnings(empty, empty, empty, np.empty(0, bool), empty, 300.0, 60.0)) == 0

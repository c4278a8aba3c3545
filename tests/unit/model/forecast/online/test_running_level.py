"""Running level of recent outcomes."""

from types import SimpleNamespace

import numpy as np
import pytest

from model.features.labels import Rules
from model.features.rolling_window import RollingWindow
from model.forecast.log_odds import logit
from model.forecast.online.running_level import HALF_LIFE, LEVEL_STEP, LevelFilter, RunningLevel, level_offsets
from model.units import DAY, HOUR

pytestmark = pytest.mark.unit

STEP = 60.0
HORIZONS = (300.0, 3600.0)
RULES = Rules(((("cpu_usage", 0.8),),), 0.0)


def alternating(hours, p, y):
    """Observe predictions of `p` every LEVEL_STEP, each with the outcome `y` of its row."""
    times = np.arange(0.0, hours * HOUR, LEVEL_STEP)
    outcomes = np.array([y(i) for i in range(len(times))], dtype=float)
    return level_offsets(times, np.full(len(times), float(logit(np.array(p)))), outcomes, 300.0)


def test_confident_predictions_that_fail_are_corrected_within_the_hour():
    offsets = alternating(3, 0.98, lambda _: 0)
    by_hour = offsets[:: int(HOUR / LEVEL_STEP)]
    assert by_hour[0] == 0.0
    assert by_hour[1] < -3.0
    assert by_hour[2] < by_hour[1] - 0.5


def test_a_lasting_change_of_the_rate_is_followed_for_days():
    rng = np.random.default_rng(0)
    outcomes = rng.random(6 * 288) < 0.9
    published = float(logit(np.array(0.05))) + alternating(6 * 24, 0.05, lambda i: outcomes[i])[288:]
    assert (1 / (1 + np.exp(-published))).mean() > 0.75


def test_outcomes_as_predicted_change_nothing():
    rng = np.random.default_rng(0)
    outcomes = rng.random(2000) < 0.2
    offsets = alternating(160, 0.2, lambda i: outcomes[i])
    assert np.mean(offsets == 0) > 0.6
    assert np.abs(offsets).max() < 1.0
    assert alternating(24, 0.01, lambda _: 0).min() > -0.5


def test_level_decays_without_outcomes():
    level = LevelFilter(300.0)
    for _ in range(24):
        level.observe(3.0, 0.0)
    before = level.offset
    assert before < -2.0
    level.decay(HALF_LIFE)
    assert before / 2 < level.offset < 0.0
    level.decay(10 * DAY)
    assert level.offset == 0.0


def host(seed=0, rows=1500):
    """Return times, values and probabilities of a host with random high load, a gap and missing samples."""
    rng = np.random.default_rng(seed)
    times = 1.7e9 + STEP * np.arange(rows) + rng.uniform(0, 5, rows)
    times[rows // 2 :] += 5 * HOUR
    load = np.where(rng.random(rows) < 0.3, 0.9, 0.2)
    load[rng.random(rows) < 0.02] = np.nan
    return times, load[:, None], rng.uniform(0.02, 0.98, (rows, len(HORIZONS)))


def run(cuts, calibrate_at, fitted_until=None, last=None):
    """Feed a host in chunks that end at `cuts`, with another calibration from the row `calibrate_at` on."""
    times, values, probabilities = host()
    window = RollingWindow(("cpu_usage",), RULES, STEP)
    level = RunningLevel(SimpleNamespace(horizons=HORIZONS, fitted_until=fitted_until))
    parts = []
    start = 0
    for end in cuts:
        if start == calibrate_at:
            level.recalibrate(np.full((2, 2), 0.8), np.full((2, 2), -0.3))
        window.extend(times[start:end], values[start:end])
        chunk = probabilities[start:end]
        parts.append(level.extend(window, times[start:end], lambda rows, chunk=chunk: chunk[rows]))
        start = end
    return np.concatenate(parts)[:last]


def test_offsets_are_the_same_bits_for_any_division_into_chunks():
    rows = 1500
    whole = run([900, rows], 900)
    single = run(range(1, rows + 1), 900)
    some = run([1, 7, 400, 401, 900, 1100, rows], 900)
    assert np.array_equal(whole, single)
    assert np.array_equal(whole, some)
    assert whole.shape == (rows, 2, len(HORIZONS))
    assert len(np.unique(whole[:, 0, 0])) > 50
    assert np.any(whole[:, 1] != 0)


def test_offset_uses_only_outcomes_that_are_known():
    assert np.array_equal(run([700], None), run([1500], None)[:700])
    times, _, _ = host()
    first_outcome = np.searchsorted(times, times[0] + HORIZONS[1])
    assert (run([1500], None)[:first_outcome, :, 1] == 0).all()


def test_predictions_in_the_training_history_are_not_observed():
    times, _, _ = host()
    offsets = run([1500], None, fitted_until=float(times[1000]))
    assert (offsets[:1005] == 0).all()
    assert (offsets[1005:] != 0).any()
    assert (run([1500], None, fitted_until=float(times[-1])) == 0).all()

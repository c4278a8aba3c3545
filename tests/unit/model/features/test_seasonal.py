"""Seasonal features: equal live and in training, and free of future samples."""

import numpy as np
import pytest

from model.features.design_matrix import design_matrix
from model.features.feature_spec import make_spec
from model.features.labels import Rules
from model.features.rolling_window import FIXED_POINT
from model.features.seasonal import seasonal_feature_names, seasonal_features
from model.features.time_buckets import TimeBuckets
from model.units import DAY
from tests.unit.model.conftest import COLUMNS, make_trace

pytestmark = pytest.mark.unit

RULES = Rules(((("cpu_usage", 0.8),),), sustained=100.0)
HORIZONS = (300.0, 900.0, 3600.0)
STEP = 100.0


@pytest.fixture(scope="module")
def weeks():
    """Twenty days with a gap of half a day and a period that does not divide a day."""
    times, values = make_trace(rows=17_280, step=STEP, period=21_600.0)
    gap = (times > times[9000]) & (times < times[9000] + DAY / 2)
    return times[~gap], values[~gap]


@pytest.fixture(scope="module")
def spec(weeks):
    return make_spec(COLUMNS, weeks[1], RULES, HORIZONS, STEP)


@pytest.fixture(scope="module")
def table(spec, weeks):
    window = spec.new_window()
    window.extend(*weeks)
    return design_matrix(spec, window, np.arange(len(window)))


@pytest.mark.parametrize("at", [7000, 8990, 10_200, 15_900])
def test_live_row_equals_training_row_bit_for_bit(spec, table, weeks, at):
    times, values = weeks
    window = spec.new_window(bounded=True)
    stored = np.flatnonzero((times > times[at] - spec.required_history) & (times <= times[at] - 3 * 3600))
    for start in range(0, len(stored), 700):
        rows = stored[start : start + 700]
        window.extend(times[rows], values[rows])
    for i in range(stored[-1] + 1, at + 1):
        window.extend(times[i : i + 1], values[i : i + 1])
        live = design_matrix(spec, window, np.array([len(window) - 1]))[0]
    assert live.tobytes() == table[at].tobytes()
    assert not np.isnan(live[[spec.names.index(name) for name in ("yesterday:now", "past_days:high:900s")]]).any()


def test_bounded_window_yields_the_training_row(spec, table, weeks):
    times, values = weeks
    window = spec.new_window(bounded=True)
    for start in range(0, len(times), 50):
        window.extend(times[start : start + 50], values[start : start + 50])
    assert window.buckets.oldest > 0
    assert len(window.buckets.sums) < 8.5 * DAY / window.buckets.width
    assert design_matrix(spec, window, np.array([len(window) - 1]))[0].tobytes() == table[-1].tobytes()


def test_bounded_window_keeps_the_lookback_of_the_first_of_many_rows(spec, table, weeks):
    times, values = weeks
    window = spec.new_window(bounded=True)
    for start in range(0, len(times), 6000):
        window.extend(times[start : start + 6000], values[start : start + 6000])
        rows = np.arange(start, min(start + 6000, len(times)))
        assert design_matrix(spec, window, rows - window.dropped_rows).tobytes() == table[rows].tobytes()


def test_later_samples_do_not_change_features(spec, table, weeks):
    times, values = weeks
    changed = values.copy()
    changed[12_000:] = 0.99
    window = spec.new_window()
    window.extend(times, changed)
    assert design_matrix(spec, window, np.arange(12_000)).tobytes() == table[:12_000].tobytes()


def filled(load, width=300.0):
    """Buckets of one sample each; load is high where the load index is 1."""
    buckets = TimeBuckets(2, width)
    load = np.asarray(load, dtype=float)
    terms = np.rint(np.stack([load * 10, load], axis=1) * FIXED_POINT).astype(np.int64)
    times = np.arange(len(load)) * width
    buckets.extend(times, terms, np.ones((len(load), 2), bool), load, (load >= 1).astype(float))
    return buckets


def named(buckets, at, horizons=(900.0,)):
    names = seasonal_feature_names(["cpu_usage"], horizons)
    return dict(zip(names, seasonal_features(buckets, np.array([at]), horizons, FIXED_POINT)[0], strict=True))


def test_features_have_the_values_of_their_names():
    day = 288
    at = 288 * 9 + 100
    rng = np.random.default_rng(0)
    load = rng.random(at + 1) * 0.5
    load[at - day + 2] = 1.2  # yesterday, ten minutes later
    load[at - 3 * day + 3] = 1.1
    features = named(filled(load), at)
    starts = [at - d * day for d in range(1, 8)]
    weights = 0.7 ** np.arange(7)
    assert features["cpu_usage:departure:24h"] == pytest.approx(10 * load[at - day : at].mean(), rel=1e-5)
    assert features["yesterday:now"] == pytest.approx(load[starts[0]], rel=1e-5)
    assert features["yesterday:before:1h"] == pytest.approx(load[starts[0] - 11 : starts[0] + 1].mean(), rel=1e-5)
    assert features["yesterday:after:4h"] == pytest.approx(load[starts[0] : starts[0] + 48].mean(), rel=1e-5)
    assert features["yesterday:max:900s"] == pytest.approx(1.2)
    assert features["yesterday:high:900s"] == 1
    assert features["past_days:high:900s"] == pytest.approx(2 / 7)
    assert features["past_days:high_weighted:900s"] == pytest.approx((weights[0] + weights[2]) / weights.sum())
    assert features["past_days:now"] == pytest.approx(np.average(load[starts], weights=weights), rel=1e-5)
    assert features["past_days:deviation"] == pytest.approx(load[starts].std(), rel=1e-4)
    assert features["past_days:top:900s"] == pytest.approx(1.2)
    hours = [load[t - 12 : t].mean() for t in starts]
    assert features["past_days:departure"] == pytest.approx(
        load[at - 12 : at].mean() - np.average(hours, weights=weights), rel=1e-4
    )
    peaks = [load[t : t + 4].max() for t in starts]
    assert features["past_days:max:900s"] == pytest.approx(np.average(peaks, weights=weights), rel=1e-5)


def test_days_without_samples_are_left_out():
    features = named(filled(np.full(288 + 50, 0.25)), 288 + 20)
    assert features["past_days:now"] == pytest.approx(0.25)
    assert features["yesterday:now"] == pytest.approx(0.25)
    assert np.isnan(named(filled(np.full(200, 0.25)), 150)["yesterday:now"])


def test_horizon_beyond_a_day_uses_no_future_bucket():
    load = np.zeros(288 * 3)
    load[600:] = 1.0
    assert named(filled(load), 599, (3 * DAY,))["yesterday:max:259200s"] == 0


def test_nothing_is_looked_up_across_a_gap_of_years():
    buckets = filled(np.full(300, 0.5))
    numbers = buckets.extend(
        np.array([3e8]), np.zeros((1, 2), np.int64), np.ones((1, 2), bool), np.zeros(1), np.zeros(1)
    )
    assert np.isnan(named(buckets, int(numbers[0]))["past_days:now"])

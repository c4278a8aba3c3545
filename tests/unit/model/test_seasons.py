"""Other days, seen through bins: live as in training, and never the future."""

import numpy as np
import pytest
from model.features.features import design_matrix, make_spec

from model.features.labels import Rules
from model.features.rolling_window import RATIO_GRID
from model.features.seasonal import seasonal, seasonal_names
from model.features.time_buckets import TimeBuckets, bucket_width
from model.units import DAY

from .conftest import COLUMNS, make_trace

pytestmark = pytest.mark.unit

RULES = Rules(((("cpu_usage", 0.8),),), sustained=100.0)
HORIZONS = (300.0, 900.0, 3600.0)
STEP = 100.0


@pytest.fixture(scope="module")
def weeks():
    """Twenty days, a hole of half a day, and a rhythm that is no day."""
    times, values = make_trace(rows=17_280, step=STEP, period=21_600.0)
    hole = (times > times[9000]) & (times < times[9000] + DAY / 2)
    return times[~hole], values[~hole]


@pytest.fixture(scope="module")
def spec(weeks):
    return make_spec(COLUMNS, weeks[1], RULES, HORIZONS, STEP)


@pytest.fixture(scope="module")
def table(spec, weeks):
    history = spec.history()
    history.extend(*weeks)
    return design_matrix(spec, history, np.arange(len(history)))


@pytest.mark.parametrize("at", [7000, 8990, 10_200, 15_900])
def test_the_live_vector_is_the_training_row_bit_for_bit(spec, table, weeks, at):
    times, values = weeks
    history = spec.history(live=True)
    known = np.flatnonzero((times > times[at] - spec.needed) & (times <= times[at] - 3 * 3600))
    for start in range(0, len(known), 700):
        rows = known[start : start + 700]
        history.extend(times[rows], values[rows])
    for i in range(known[-1] + 1, at + 1):
        history.extend(times[i : i + 1], values[i : i + 1])
        live = design_matrix(spec, history, np.array([len(history) - 1]))[0]
    assert live.tobytes() == table[at].tobytes()
    assert not np.isnan(live[[spec.names.index(name) for name in ("yesterday:now", "past_days:high:900s")]]).any()


def test_a_long_live_history_forgets_and_still_gives_the_training_row(spec, table, weeks):
    times, values = weeks
    history = spec.history(live=True)
    for start in range(0, len(times), 50):
        history.extend(times[start : start + 50], values[start : start + 50])
    assert history.bins.oldest > 0
    assert len(history.bins.sums) < 8.5 * DAY / history.bins.width
    assert design_matrix(spec, history, np.array([len(history) - 1]))[0].tobytes() == table[-1].tobytes()


def test_rows_that_come_together_do_not_lose_what_their_first_looks_back_at(spec, table, weeks):
    times, values = weeks
    history = spec.history(live=True)
    for start in range(0, len(times), 6000):
        history.extend(times[start : start + 6000], values[start : start + 6000])
        here = np.arange(start, min(start + 6000, len(times)))
        assert design_matrix(spec, history, here - history.forgotten).tobytes() == table[here].tobytes()


def test_nothing_after_a_moment_changes_its_features(spec, table, weeks):
    times, values = weeks
    changed = values.copy()
    changed[12_000:] = 0.99
    history = spec.history()
    history.extend(times, changed)
    assert design_matrix(spec, history, np.arange(12_000)).tobytes() == table[:12_000].tobytes()


def filled(load, width=300.0):
    """Bins of one sample each; high where the load is 1."""
    bins = TimeBuckets(2, width)
    load = np.asarray(load, dtype=float)
    terms = np.rint(np.stack([load * 10, load], axis=1) * RATIO_GRID).astype(np.int64)
    bins.extend(np.arange(len(load)) * width, terms, np.ones((len(load), 2), bool), load, (load >= 1).astype(float))
    return bins


def named(bins, at, horizons=(900.0,)):
    return dict(
        zip(
            seasonal_names(["cpu_usage"], horizons),
            seasonal(bins, np.array([at]), horizons, RATIO_GRID)[0],
            strict=True,
        )
    )


def test_features_are_what_their_names_say():
    day, at = 288, 288 * 9 + 100
    rng = np.random.default_rng(0)
    load = rng.random(at + 1) * 0.5
    load[at - day + 2] = 1.2  # yesterday, ten minutes later
    load[at - 3 * day + 3] = 1.1
    found = named(filled(load), at)
    then = [at - d * day for d in range(1, 8)]
    weights = 0.7 ** np.arange(7)
    assert found["cpu_usage:departure:24h"] == pytest.approx(10 * load[at - day : at].mean(), rel=1e-5)
    assert found["yesterday:now"] == pytest.approx(load[then[0]], rel=1e-5)
    assert found["yesterday:before:1h"] == pytest.approx(load[then[0] - 11 : then[0] + 1].mean(), rel=1e-5)
    assert found["yesterday:after:4h"] == pytest.approx(load[then[0] : then[0] + 48].mean(), rel=1e-5)
    assert found["yesterday:max:900s"] == pytest.approx(1.2)
    assert found["yesterday:high:900s"] == 1
    assert found["past_days:high:900s"] == pytest.approx(2 / 7)
    assert found["past_days:high_lately:900s"] == pytest.approx((weights[0] + weights[2]) / weights.sum())
    assert found["past_days:now"] == pytest.approx(np.average(load[then], weights=weights), rel=1e-5)
    assert found["past_days:deviation"] == pytest.approx(load[then].std(), rel=1e-4)
    assert found["past_days:top:900s"] == pytest.approx(1.2)
    hours = [load[t - 12 : t].mean() for t in then]
    assert found["past_days:departure"] == pytest.approx(
        load[at - 12 : at].mean() - np.average(hours, weights=weights), rel=1e-4
    )
    peaks = [load[t : t + 4].max() for t in then]
    assert found["past_days:max:900s"] == pytest.approx(np.average(peaks, weights=weights), rel=1e-5)


def test_days_that_nobody_saw_are_missing_and_count_for_nothing():
    found = named(filled(np.full(288 + 50, 0.25)), 288 + 20)
    assert found["past_days:now"] == pytest.approx(0.25)
    assert found["yesterday:now"] == pytest.approx(0.25)
    assert np.isnan(named(filled(np.full(200, 0.25)), 150)["yesterday:now"])


def test_a_horizon_beyond_a_day_does_not_see_the_future():
    load = np.zeros(288 * 3)
    load[600:] = 1.0
    early = named(filled(load), 599, (3 * DAY,))
    assert early["yesterday:max:259200s"] == 0


def test_a_hole_of_years_costs_no_memory_and_nothing_is_looked_up_across_it():
    bins = filled(np.full(300, 0.5))
    later = np.array([3e8])
    at = bins.extend(later, np.zeros((1, 2), np.int64), np.ones((1, 2), bool), np.zeros(1), np.zeros(1))
    assert len(bins.sums) < 3000
    assert np.isnan(named(bins, int(at[0]))["past_days:now"])


@pytest.mark.parametrize(
    ("step", "width"), [(5.0, 300.0), (300.0, 300.0), (301.0, 600.0), (3600.0, 3600.0), (4000.0, None)]
)
def test_a_day_is_a_whole_number_of_bins(step, width):
    assert bucket_width(step) == width
    assert width is None or DAY % width == 0

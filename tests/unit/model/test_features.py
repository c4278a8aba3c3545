"""One function for the live moment and the training row, bit for bit; windows in seconds, gaps never bridged."""

import numpy as np
import pytest
from model.features.features import FeatureSpec, design_matrix, make_spec, windows_for

from model.features.labels import Rules
from model.features.rolling_window import RollingWindow

from .conftest import COLUMNS, make_trace

pytestmark = pytest.mark.unit

RULES = Rules(((("cpu_usage", 0.8),),), sustained=30.0)
HORIZONS = (60.0, 300.0)


@pytest.fixture(scope="module")
def spec(trace):
    return make_spec(COLUMNS, trace[1], RULES, HORIZONS, 10.0)


@pytest.fixture(scope="module")
def table(spec, trace):
    history = spec.history()
    history.extend(*trace)
    return design_matrix(spec, history, np.arange(len(history)))


def cpu_spec(rules, windows):
    return FeatureSpec(("cpu_usage",), ("cpu_usage",), (), rules, windows, 10.0, HORIZONS, seasonal=False)


def live_vector(spec, times, values, at, primed):
    """As the daemon does it: some rows at once from storage, the rest one by one."""
    history = spec.history(live=True)
    here = np.flatnonzero((times > times[at] - spec.needed) & (times <= times[at]))
    first, rest = here[:primed], here[primed:]
    history.extend(times[first], values[first])
    for i in rest:
        history.extend(times[i : i + 1], values[i : i + 1])
    return design_matrix(spec, history, np.array([len(history) - 1]))[0]


@pytest.mark.parametrize("at", [250, 1999, 2003, 2100, 3900])
@pytest.mark.parametrize("primed", [0, 40])
def test_the_live_vector_is_the_training_row_bit_for_bit(spec, table, trace, at, primed):
    live = live_vector(spec, *trace, at, primed)
    assert live.tobytes() == table[at].tobytes()


def test_a_live_history_that_forgot_its_beginning_still_gives_the_training_row(spec, table, trace):
    times, values = trace
    history = spec.history(live=True)
    for i in range(len(times)):
        history.extend(times[i : i + 1], values[i : i + 1])
    assert len(history) < len(times) / 2
    assert design_matrix(spec, history, np.array([len(history) - 1]))[0].tobytes() == table[-1].tobytes()


def test_features_are_what_their_names_say(spec, table, trace):
    times, values = trace
    at = 1500
    named = dict(zip(spec.names, table[at], strict=True))
    window = (times > times[at] - 300) & (times <= times[at])
    cpu = values[window, 0]
    assert named["cpu_usage:last"] == pytest.approx(values[at, 0], abs=1e-6)
    assert named["cpu_usage:departure:300s"] == pytest.approx(values[at, 0] - cpu.mean(), abs=1e-6)
    received = np.log1p(values[window, 2])
    assert named["network_receive:departure:300s"] == pytest.approx(received[-1] - received.mean(), abs=1e-5)
    assert named["load_index:max:300s"] == pytest.approx(cpu.max() / 0.8, rel=1e-6)
    assert named["load_index:min:300s"] == pytest.approx(cpu.min() / 0.8, rel=1e-6)
    assert named["load_index:deviation:300s"] == pytest.approx(cpu.std() / 0.8, rel=1e-4)
    assert named["load_index:high:300s"] == pytest.approx((cpu >= 0.8).mean(), rel=1e-6)


def test_nothing_after_a_moment_changes_its_features(spec, table, trace):
    times, values = trace
    changed = values.copy()
    changed[2000:] = 0.123
    history = spec.history()
    history.extend(times, changed)
    assert design_matrix(spec, history, np.arange(2000)).tobytes() == table[:2000].tobytes()


def test_windows_are_of_time_and_not_of_rows():
    spec = cpu_spec(RULES, (100.0,))
    times = np.array([0.0, 10, 20, 30, 40, 50, 60, 95, 100, 105, 110])
    history = spec.history()
    history.extend(times, np.arange(11.0)[:, None])
    found = dict(zip(spec.names, design_matrix(spec, history, np.array([10]))[0], strict=True))
    assert found["cpu_usage:departure:100s"] == pytest.approx(10 - np.mean([2, 3, 4, 5, 6, 7, 8, 9, 10]))


def test_a_window_mostly_unwatched_is_missing_and_a_short_one_is_not():
    spec = cpu_spec(RULES, (30.0, 200.0))
    history = spec.history()
    history.extend(np.array([0.0, 10, 20, 500, 510, 520]), np.full((6, 1), 0.5))
    named = dict(zip(spec.names, design_matrix(spec, history, np.array([5]))[0], strict=True))
    assert named["load_index:mean:30s"] == pytest.approx(0.5 / 0.8)
    assert named["cpu_usage:departure:30s"] == 0
    assert np.isnan(named["cpu_usage:departure:200s"])
    assert np.isnan(named["load_index:max:200s"])


def test_recurrence_knows_the_rhythm():
    rules = Rules(((("cpu_usage", 0.8),),), sustained=0.0)
    spec = cpu_spec(rules, (1000.0,))
    times = np.arange(0.0, 900, 10)
    history = spec.history()
    history.extend(times, np.where((times % 300) < 50, 0.9, 0.1)[:, None])
    named = dict(zip(spec.names, design_matrix(spec, history, np.array([75]))[0], strict=True))  # t = 750
    assert named["load_index:phase"] == pytest.approx(150 / 300)
    assert named["load_index:period"] == pytest.approx(np.log1p(300 / 60))
    assert named["load_index:since_onset"] == pytest.approx(np.log1p(150 / 60))
    assert named["load_index:since_high"] == pytest.approx(np.log1p(110 / 60))


def test_columns_that_say_nothing_are_no_inputs(trace):
    constant = trace[1].copy()
    constant[:, 1] = 0.5
    assert make_spec(COLUMNS, constant, RULES, HORIZONS, 10.0).inputs == ("cpu_usage", "network_receive")


def test_rates_enter_as_logarithms_and_ratios_as_they_are(spec):
    assert spec.logarithmic == ("network_receive",)


def test_other_days_are_looked_at_unless_samples_are_too_far_apart():
    for step, expected in ((600.0, True), (3600.0, True), (7200.0, False)):
        _, values = make_trace(rows=400, step=step)
        assert make_spec(COLUMNS, values, RULES, HORIZONS, step).seasonal == expected


def test_windows_follow_the_horizons():
    assert windows_for((300.0, 900.0, 3600.0), 5.0) == (60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0)
    assert windows_for((5.0, 10.0), 2.0) == (4.0, 5.0, 10.0, 20.0, 40.0, *windows_for((300.0, 900.0, 3600.0), 5.0))


def test_every_feature_belongs_to_one_group(spec):
    assert spec.groups == ("cpu_usage", "memory_usage", "network_receive", "load_index", "yesterday", "past_days")
    assert np.all(spec.membership.sum(axis=1) == 1)


def test_samples_out_of_order_are_refused():
    history = RollingWindow(("cpu_usage",), RULES, 10.0)
    history.extend(np.array([10.0]), np.array([[0.1]]))
    with pytest.raises(ValueError, match="order"):
        history.extend(np.array([10.0]), np.array([[0.1]]))

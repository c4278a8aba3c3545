"""Design matrix: equal live and in training, windows in seconds, gaps never bridged."""

from dataclasses import replace

import numpy as np
import pytest

from model.features.design_matrix import design_matrix
from model.features.feature_spec import FeatureSpec, make_spec
from model.features.labels import Rules
from tests.unit.model.conftest import COLUMNS

pytestmark = pytest.mark.unit

RULES = Rules(((("cpu_usage", 0.8),),), sustained=30.0)
HORIZONS = (60.0, 300.0)


@pytest.fixture(scope="module")
def spec(trace):
    return make_spec(COLUMNS, trace[1], RULES, HORIZONS, 10.0)


@pytest.fixture(scope="module")
def table(spec, trace):
    window = spec.new_window()
    window.extend(*trace)
    return design_matrix(spec, window, np.arange(len(window)))


def cpu_spec(rules, windows):
    return FeatureSpec(
        columns=("cpu_usage",),
        inputs=("cpu_usage",),
        logarithmic=(),
        rules=rules,
        windows=windows,
        step=10.0,
        horizons=HORIZONS,
        seasonal=False,
    )


def named_row(spec, times, values, row):
    window = spec.new_window()
    window.extend(np.asarray(times, float), values)
    return dict(zip(spec.names, design_matrix(spec, window, np.array([row]))[0], strict=True))


def live_row(spec, times, values, at, stored):
    """Compute a row as the daemon does: some samples at once from storage, the others one by one."""
    window = spec.new_window(bounded=True)
    rows = np.flatnonzero((times > times[at] - spec.required_history) & (times <= times[at]))
    window.extend(times[rows[:stored]], values[rows[:stored]])
    for i in rows[stored:]:
        window.extend(times[i : i + 1], values[i : i + 1])
    return design_matrix(spec, window, np.array([len(window) - 1]))[0]


@pytest.mark.parametrize("at", [250, 1999, 2003, 2100, 3900])
@pytest.mark.parametrize("stored", [0, 40])
def test_live_row_equals_training_row_bit_for_bit(spec, table, trace, at, stored):
    assert live_row(spec, *trace, at, stored).tobytes() == table[at].tobytes()


def test_crossings_are_the_share_above_the_bound_that_was_not_sustained():
    spec = cpu_spec(Rules(((("cpu_usage", 0.8),),), 20.0), (100.0,))
    cpu = np.array([0.1, 0.9, 0.1, 0.9, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1])
    row = named_row(spec, 10.0 * np.arange(10), cpu[:, None], 9)
    # Of five samples above the bound, the single one and the first of four are not high load yet.
    assert row["load_index:high:100s"] == pytest.approx(0.5)
    assert row["load_index:crossings:100s"] == pytest.approx(0.2)
    assert "load_index:crossings:100s" not in replace(spec, crossings=False).names


def test_bounded_window_yields_the_training_row(spec, table, trace):
    times, values = trace
    window = spec.new_window(bounded=True)
    for i in range(len(times)):
        window.extend(times[i : i + 1], values[i : i + 1])
    assert len(window) < len(times) / 2
    assert design_matrix(spec, window, np.array([len(window) - 1]))[0].tobytes() == table[-1].tobytes()


def test_features_have_the_values_of_their_names(spec, table, trace):
    times, values = trace
    at = 1500
    features = dict(zip(spec.names, table[at], strict=True))
    window = (times > times[at] - 300) & (times <= times[at])
    cpu = values[window, 0]
    assert features["cpu_usage:last"] == pytest.approx(values[at, 0], abs=1e-6)
    assert features["cpu_usage:departure:300s"] == pytest.approx(values[at, 0] - cpu.mean(), abs=1e-6)
    received = np.log1p(values[window, 2])
    assert features["network_receive:departure:300s"] == pytest.approx(received[-1] - received.mean(), abs=1e-5)
    assert features["load_index:max:300s"] == pytest.approx(cpu.max() / 0.8, rel=1e-6)
    assert features["load_index:min:300s"] == pytest.approx(cpu.min() / 0.8, rel=1e-6)
    assert features["load_index:deviation:300s"] == pytest.approx(cpu.std() / 0.8, rel=1e-4)
    assert features["load_index:high:300s"] == pytest.approx((cpu >= 0.8).mean(), rel=1e-6)


def test_later_samples_do_not_change_features(spec, table, trace):
    times, values = trace
    changed = values.copy()
    changed[2000:] = 0.123
    window = spec.new_window()
    window.extend(times, changed)
    assert design_matrix(spec, window, np.arange(2000)).tobytes() == table[:2000].tobytes()


def test_windows_are_lengths_of_time():
    times = [0.0, 10, 20, 30, 40, 50, 60, 95, 100, 105, 110]
    features = named_row(cpu_spec(RULES, (100.0,)), times, np.arange(11.0)[:, None], 10)
    assert features["cpu_usage:departure:100s"] == pytest.approx(10 - np.mean([2, 3, 4, 5, 6, 7, 8, 9, 10]))


def test_window_with_little_coverage_is_missing():
    times = [0.0, 10, 20, 500, 510, 520]
    features = named_row(cpu_spec(RULES, (30.0, 200.0)), times, np.full((6, 1), 0.5), 5)
    assert features["load_index:mean:30s"] == pytest.approx(0.5 / 0.8)
    assert features["cpu_usage:departure:30s"] == 0
    assert np.isnan(features["cpu_usage:departure:200s"])
    assert np.isnan(features["load_index:max:200s"])


def test_recurrence_features_describe_the_rhythm_of_onsets():
    spec = cpu_spec(Rules(((("cpu_usage", 0.8),),), sustained=0.0), (1000.0,))
    times = np.arange(0.0, 900, 10)
    features = named_row(spec, times, np.where((times % 300) < 50, 0.9, 0.1)[:, None], 75)  # t = 750
    assert features["load_index:phase"] == pytest.approx(150 / 300)
    assert features["load_index:period"] == pytest.approx(np.log1p(300 / 60))
    assert features["load_index:since_onset"] == pytest.approx(np.log1p(150 / 60))
    assert features["load_index:since_high"] == pytest.approx(np.log1p(110 / 60))

"""Host features: equal to the features of a single host, bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.features.design_matrix import design_matrix
from model.features.feature_spec import FeatureSpec, windows_for
from model.features.hosts.host_features import HostFeatures
from model.features.labels import Rules
from model.units import DAY, HOUR

pytestmark = pytest.mark.unit

COLUMNS = ("cpu_usage", "memory_usage")
RULES = ((("cpu_usage", 0.8),), (("cpu_usage", 0.6), ("memory_usage", 0.7)))
START = 1.7e9 // DAY * DAY
HOSTS = 3


def make_spec(step, sustained):
    horizons = (5 * step, 15 * step, 30 * step)
    return FeatureSpec(
        columns=COLUMNS,
        inputs=(),
        logarithmic=(),
        rules=Rules(RULES, sustained),
        windows=windows_for(horizons, step),
        step=step,
        horizons=horizons,
        seasonal=True,
    )


def make_histories(rng, step, slots):
    """Return times (slots,), values (slots, hosts, columns) and a mask (slots, hosts) of the samples."""
    numbers = np.arange(slots)
    numbers[slots // 2 :] += rng.choice([0, 3, 40, 2000])
    times = START + step * numbers
    busy = (times[:, None] // (20 * step) + np.arange(HOSTS)) % 4 == 0
    cpu = np.clip(0.4 + 0.45 * busy + rng.normal(0, 0.1, busy.shape), 0, 1)
    values = np.stack([cpu, rng.uniform(0.4, 1, cpu.shape)], axis=2)
    values[rng.random(values.shape) < 0.03] = np.nan
    present = rng.random(busy.shape) < rng.choice([0.6, 0.95, 1.0])
    return times, values, present


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([10.0, 60.0, 300.0]), st.sampled_from([0.0, 60.0, 150.0]))
def test_features_equal_those_of_a_single_host(seed, step, sustained):
    rng = np.random.default_rng(seed)
    spec = make_spec(step, sustained)
    times, values, present = make_histories(rng, step, 100)
    history = int(rng.choice([0, 1, 7, 80]))
    hosts = HostFeatures(spec, HOSTS)
    windows = [spec.new_window(bounded=True) for _ in range(HOSTS)]
    if history:
        hosts.open_slot(times[history - 1])
    for host, window in enumerate(windows):
        rows = np.flatnonzero(present[:history, host])
        window.extend(times[rows], values[rows, host])
        if len(rows):
            hosts.take_over(host, window)
    for slot in range(history, len(times)):
        hosts.advance(times[slot], values[slot], present[slot])
        x = hosts.features(times[slot])
        for host in np.flatnonzero(present[slot]):
            window = windows[host]
            window.extend(times[slot : slot + 1], values[slot : slot + 1, host])
            expected = design_matrix(spec, window, np.array([len(window) - 1]))[0]
            np.testing.assert_array_equal(x[host], expected)
            assert hosts.in_period[host] == (window.period_start[-1] > -np.inf)
            assert hosts.high_with_dips(times[slot])[host] == window.high_with_dips(1)[0]
            assert hosts.last_high[host] == window.last_high[-1]


def test_seasonal_features_equal_those_of_a_single_host():
    rng = np.random.default_rng(5)
    spec = make_spec(300.0, 300.0)
    slots = int(9 * DAY / 300)
    times = START + 300.0 * np.arange(slots)
    load = 0.5 + 0.4 * np.sin(2 * np.pi * times / DAY)[:, None] + rng.normal(0, 0.1, (slots, HOSTS))
    values = np.stack([load, rng.uniform(0, 1, load.shape)], axis=2)
    present = rng.random(load.shape) < 0.97
    hosts = HostFeatures(spec, HOSTS)
    windows = [spec.new_window(bounded=True) for _ in range(HOSTS)]
    history = slots - 15
    hosts.open_slot(times[history - 1])
    for host, window in enumerate(windows[:2]):
        rows = np.flatnonzero(present[:history, host])
        window.extend(times[rows], values[rows, host])
        hosts.take_over(host, window)
    for slot in range(history, slots):
        hosts.advance(times[slot], values[slot], present[slot])
        x = hosts.features(times[slot])
        for host in np.flatnonzero(present[slot]):
            windows[host].extend(times[slot : slot + 1], values[slot : slot + 1, host])
            expected = design_matrix(spec, windows[host], np.array([len(windows[host]) - 1]))[0]
            np.testing.assert_array_equal(x[host], expected)
    assert not np.isnan(x[0, -20:]).any()


def test_cleared_host_starts_again():
    spec = make_spec(60.0, 60.0)
    hosts = HostFeatures(spec, 2)
    for slot in range(30):
        hosts.advance(START + 60 * slot, np.full((2, 2), 0.9), np.ones(2, bool))
    hosts.clear(np.array([0]))
    fresh = HostFeatures(spec, 2)
    time = START + 30 * 60
    for features in (hosts, fresh):
        features.advance(time, np.full((2, 2), 0.5), np.ones(2, bool))
    np.testing.assert_array_equal(hosts.features(time)[0], fresh.features(time)[0])
    assert hosts.state.tolist() == [0, 0]
    assert hosts.newest.tolist() == [time, time]


def test_features_reject_a_specification_with_inputs():
    spec = make_spec(60.0, 60.0)
    with pytest.raises(ValueError, match="no inputs"):
        HostFeatures(FeatureSpec(**{**vars(spec), "inputs": ("cpu_usage",)}), 1)


def test_ring_drops_slots_older_than_the_longest_window():
    spec = make_spec(60.0, 60.0)
    hosts = HostFeatures(spec, 1)
    hosts.advance(START, np.full((1, 2), 0.9), np.ones(1, bool))
    later = START + 9 * DAY + HOUR
    hosts.advance(later, np.full((1, 2), 0.1), np.ones(1, bool))
    window = spec.new_window(bounded=True)
    window.extend(np.array([START, later]), np.array([[0.9, 0.9], [0.1, 0.1]]))
    np.testing.assert_array_equal(hosts.features(later)[0], design_matrix(spec, window, np.array([1]))[0])

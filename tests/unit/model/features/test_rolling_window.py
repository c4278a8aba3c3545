"""Rolling window: high-load state machine and order of samples."""

import numpy as np
import pytest

from model.features.labels import Rules
from model.features.load_states import LAST_HIGH, LAST_ONSET, PERIOD_START, PREVIOUS_ONSET, STATE
from model.features.rolling_window import RollingWindow

pytestmark = pytest.mark.unit

NAN = float("nan")


def states(times, index, sustained, step=10.0):
    window = RollingWindow(("u",), Rules(((("u", 1.0),),), sustained), step)
    window.extend(np.array(times, float), np.array(index, float)[:, None])
    return window.state.tolist()


def test_state_is_high_once_the_rule_has_held_for_the_sustained_time():
    assert states([0, 10, 20, 30, 40, 50], [0, 1, 1, 1, 0, 1], sustained=30) == [0, 0, 0, 1, 0, 0]


def test_state_is_high_at_once_if_the_step_exceeds_the_sustained_time():
    assert states([0, 300, 600], [0, 1, 0], sustained=120, step=300) == [0, 1, 0]


def test_state_starts_again_after_a_gap():
    times = [0, 10, 20, 30, 100, 110, 120, 130]
    assert states(times, [1] * 8, sustained=30) == [0, 0, 0, 1, 0, 0, 0, 1]


def test_state_of_an_unknown_sample_is_unknown_and_ends_the_run():
    values = states([0, 10, 20, 30], [1, NAN, 1, 1], sustained=20)
    assert values[0] == 0
    assert np.isnan(values[1])
    assert values[2:] == [0, 1]


def test_short_dip_of_a_high_load_period_counts_as_high_load():
    window = RollingWindow(("u",), Rules(((("u", 1.0),),), 40.0), 5.0)
    index = [0, *[1] * 8, 0, 0, 1, 0, 0, 0, 0]
    window.extend(np.arange(len(index)) * 5.0, np.array(index, float)[:, None])
    assert window.state.tolist() == [0] * 8 + [1] + [0] * 7
    assert window.high_with_dips(len(index)).tolist() == [False] * 8 + [True] * 6 + [False] * 2
    assert window.high_with_dips(3).tolist() == [True, False, False]


@pytest.mark.parametrize("chunk", [1, 3, 7])
def test_extend_in_chunks_equals_extend_at_once(chunk):
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.choice([10.0, 10.0, 10.0, 60.0], 300))
    values = np.column_stack([rng.random(300) * 1.2, rng.random(300) * 100])
    values[rng.random((300, 2)) < 0.1] = NAN
    rules = Rules(((("u", 0.8),),), 20.0)
    windows = []
    for size in (300, chunk):
        window = RollingWindow(("u", "v"), rules, 10.0, inputs=("u", "v"), logarithmic=("v",), bucket_width=300.0)
        for start in range(0, 300, size):
            window.extend(times[start : start + size], values[start : start + size])
        windows.append(window)
    # The other columns of the states are for the next sample only.
    public = [STATE, LAST_HIGH, LAST_ONSET, PREVIOUS_ONSET, PERIOD_START]
    assert np.array_equal(windows[0].states[:, public], windows[1].states[:, public], equal_nan=True)
    for name in ("times", "load_index", "sums", "counts"):
        assert np.array_equal(getattr(windows[0], name), getattr(windows[1], name), equal_nan=True), name
    assert np.array_equal(windows[0].buckets.sums, windows[1].buckets.sums)
    assert np.array_equal(windows[0].buckets.max_index, windows[1].buckets.max_index, equal_nan=True)


@pytest.mark.parametrize("history", [5.0, 60.0, 600.0])
def test_state_follows_the_spacing_of_the_newest_samples(history):
    rules = Rules(((("u", 0.85),),), 60.0)
    window = RollingWindow(("u",), rules, history)
    past = np.arange(0.0, 100 * history, history)
    window.extend(past, np.full((100, 1), 0.2))
    live = past[-1] + np.arange(1.0, 121.0)
    usage = np.where((live > live[7]) & (live <= live[9]), 1.0, 0.2)
    usage[-62:] = 1.0
    window.extend(live, usage[:, None])
    high = window.state[100:]
    assert not high[:-3].any()
    assert high[-3:].tolist() == [1, 1, 1]


def test_state_of_coarse_samples_counts_the_time_that_each_covers():
    rules = Rules(((("u", 0.85),),), 60.0)
    window = RollingWindow(("u",), rules, 5.0)
    window.extend(np.arange(0.0, 300.0, 5.0), np.full((60, 1), 0.2))
    window.extend(np.arange(300.0, 900.0, 60.0), np.array([[0.2]] * 8 + [[0.9]] * 2))
    assert window.state[-3:].tolist() == [0, 1, 1]


def test_bounded_window_keeps_the_spacing_over_a_long_gap():
    times = np.concatenate((np.arange(0.0, 6000.0, 10.0), np.arange(1e6, 1e6 + 100.0, 10.0)))
    windows = [
        RollingWindow(("u",), Rules(((("u", 1.0),),), 30.0), 10.0, keep_seconds=keep) for keep in (100.0, np.inf)
    ]
    for at in times:
        for window in windows:
            window.extend(np.array([at]), np.array([[1.0]]))
    assert np.array_equal(windows[0].state[-10:], windows[1].state[-10:])


def test_extend_rejects_samples_out_of_order():
    window = RollingWindow(("cpu_usage",), Rules(((("cpu_usage", 0.8),),), 0.0), 10.0)
    window.extend(np.array([10.0]), np.array([[0.1]]))
    with pytest.raises(ValueError, match="order"):
        window.extend(np.array([10.0]), np.array([[0.1]]))


def test_bounded_window_drops_old_rows():
    window = RollingWindow(("u",), Rules(((("u", 1.0),),), 0.0), 10.0, keep_seconds=1000.0)
    for i in range(3000):
        window.extend(np.array([10.0 * i]), np.array([[0.5]]))
    assert window.dropped_rows > 2000
    assert len(window) + window.dropped_rows == 3000
    assert window.times[0] <= 29_990 - 1000


def test_full_bounded_window_moves_its_rows_within_its_arrays():
    window = RollingWindow(("u",), Rules(((("u", 1.0),),), 0.0), 10.0, inputs=("u",), keep_seconds=20_000.0)
    arrays = set()
    for i in range(9000):
        window.extend(np.array([10.0 * i]), np.array([[0.5]]))
        if i > 5000:
            arrays.add(window.sums.__array_interface__["data"][0])
    assert len(arrays) == 1
    assert window.dropped_rows > 6500
    assert window.times.tolist() == [10.0 * i for i in range(window.dropped_rows, 9000)]


@pytest.mark.parametrize("period", [1, 7, 50])
def test_bounded_window_of_varying_length_keeps_its_rows(period):
    window = RollingWindow(("u",), Rules(((("u", 1.0),),), 0.0), 10.0, inputs=("u",), keep_seconds=20_000.0)
    times = np.cumsum(np.where(np.arange(9000) // period % 2, 10.0, 11.0))
    for at in times:
        window.extend(np.array([at]), np.array([[0.5]]))
    assert window.times.tolist() == times[window.dropped_rows :].tolist()
    assert np.array_equal(np.diff(window.sums[:, 0]), np.full(len(window) - 1, 2**19))

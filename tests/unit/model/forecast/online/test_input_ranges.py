"""Input ranges: metrics that have left their training range, for any division of the samples into calls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.features.feature_spec import make_spec
from model.features.labels import Rules
from model.features.scaling import Scaler
from model.forecast.blend import network_only
from model.forecast.ensemble import Ensemble
from model.forecast.online.input_ranges import InputRangeMonitor, InputRanges, training_ranges
from model.forecast.predictor import Predictor

pytestmark = pytest.mark.unit

RANGES = InputRanges(
    columns=np.array([1]),
    start_low=np.array([0.4]),
    start_high=np.array([0.7]),
    end_low=np.array([0.45]),
    end_high=np.array([0.65]),
)
"""Range of the second of two columns."""


def states(x, step=5.0, cuts=None, times=None):
    """True for each of some samples, fed in calls that end at `cuts`, at which the metric is outside."""
    monitor = InputRangeMonitor(RANGES, 1)
    times = 1.7e9 + step * np.arange(len(x)) if times is None else times
    values = np.column_stack([np.full(len(x), 9.0), np.asarray(x, dtype=float)])
    parts = []
    start = 0
    for end in cuts or [len(x)]:
        outside = monitor.extend(times[None, start:end], values[None, start:end])
        parts.append(np.zeros(end - start, bool) if outside is None else outside[0, :, 0])
        start = end
    return np.concatenate(parts)


def reference(times, x):
    """The same rule, sample by sample in plain Python."""
    active = False
    beyond_since = inside_since = None
    result = []
    for at, value in zip(times, x, strict=True):
        if not np.isnan(value):
            beyond = not 0.4 <= value <= 0.7
            inside = 0.45 <= value <= 0.65
            beyond_since = (at if beyond_since is None else beyond_since) if beyond else None
            inside_since = (at if inside_since is None else inside_since) if inside else None
            if beyond and at - beyond_since >= 60:
                active = True
            if inside and at - inside_since >= 60:
                active = False
        result.append(active)
    return result


@pytest.mark.parametrize(("step", "samples"), [(1.0, 61), (5.0, 13), (60.0, 2), (300.0, 2)])
def test_metric_is_outside_once_it_has_been_beyond_its_range_for_a_minute(step, samples):
    outside = states([0.5] * 3 + [0.1] * samples, step)
    assert outside.tolist() == [False] * (2 + samples) + [True]


def test_metric_is_inside_again_after_a_minute_within_its_range():
    outside = states([0.9] * 20 + [0.5] * 20)
    assert np.flatnonzero(outside).tolist() == list(range(12, 20 + 12))


def test_value_between_the_two_bounds_changes_nothing():
    assert not states([0.42] * 50).any()
    assert states([0.9] * 20 + [0.68] * 50)[12:].all()


def test_short_excursions_are_ignored():
    assert not states(([0.9] * 12 + [0.5]) * 5).any()
    assert states([0.9] * 13 + ([0.5] * 12 + [0.9]) * 5)[12:].all()


def test_missing_samples_change_nothing():
    outside = states([0.9] * 6 + [np.nan] * 3 + [0.9] * 10 + [np.nan] * 30 + [0.5] * 13)
    assert outside.tolist() == [False] * 12 + [True] * (len(outside) - 13) + [False]


def test_gap_counts_as_time_outside():
    times = np.array([0.0, 5.0, 500.0])
    assert states([0.9, 0.9, 0.9], times=times).tolist() == [False, False, True]


VALUES = st.lists(
    st.tuples(st.sampled_from([0.1, 0.39, 0.42, 0.5, 0.68, 0.9, np.nan]), st.integers(1, 25)), min_size=1, max_size=12
)


@given(VALUES, st.sampled_from([1.0, 5.0, 20.0, 60.0, 300.0]), st.lists(st.integers(1, 200), max_size=12))
def test_any_division_into_calls_yields_the_same_states(runs, step, cuts):
    x = np.repeat([value for value, _ in runs], [count for _, count in runs])
    times = 1.7e9 + step * np.arange(len(x))
    ends = sorted({*(cut for cut in cuts if cut < len(x)), len(x)})
    expected = reference(times, x)
    assert states(x, step, ends).tolist() == expected
    assert states(x, step).tolist() == expected
    assert states(x, step, list(range(1, len(x) + 1))).tolist() == expected


def test_hosts_have_their_own_states():
    monitor = InputRangeMonitor(RANGES, 2)
    times = np.tile(5.0 * np.arange(20), (2, 1))
    values = np.full((2, 20, 2), 0.5)
    values[1, :, 1] = 0.1
    outside = monitor.extend(times, values)
    assert not outside[0].any()
    assert outside[1, 12:].all()


def make_predictor(**bounds):
    columns = ("cpu_usage", "memory_usage", "network_receive")
    values = np.column_stack([np.linspace(0, 1, 50), np.linspace(0.5, 0.58, 50), np.linspace(1e3, 1e6, 50)])
    spec = make_spec(columns, values, Rules(((("cpu_usage", 0.8),),), 0.0), (300.0,), 5.0)
    features = len(spec.names)
    arrays = {name: np.zeros(features, np.float32) for name in bounds}
    for name, by_metric in bounds.items():
        for metric, value in by_metric.items():
            arrays[name][spec.column_index[f"{metric}:last"]] = value
    scaler = Scaler(np.zeros(features, np.float32), arrays.pop("deviation", np.ones(features, np.float32)), **arrays)
    return Predictor(spec, (300.0,), Ensemble(scaler, (), ()), (network_only(),), (0.1,), (1.0,))


def test_training_ranges_have_a_margin_of_a_tenth_or_of_a_deviation():
    predictor = make_predictor(
        deviation={"cpu_usage": 0.3, "memory_usage": 0.001},
        low={"cpu_usage": 0.1, "memory_usage": 0.50},
        high={"cpu_usage": 0.9, "memory_usage": 0.58},
    )
    ranges = training_ranges(predictor)
    assert ranges.columns.tolist() == [0, 1, 2]
    assert ranges.start_low[:2] == pytest.approx([-0.2, 0.492])
    assert ranges.start_high[:2] == pytest.approx([1.2, 0.588])
    assert ranges.end_low[:2] == pytest.approx([-0.05, 0.496])
    assert ranges.end_high[:2] == pytest.approx([1.05, 0.584])


def test_training_range_of_a_rate_is_in_the_units_of_the_samples():
    rate = {"network_receive": np.log1p(1e6)}
    predictor = make_predictor(deviation={"network_receive": 0.5}, low={"network_receive": np.log1p(1e3)}, high=rate)
    ranges = training_ranges(predictor)
    margin = np.log(1e6 / 1e3) / 10
    assert ranges.start_high[2] == pytest.approx(1e6 * np.exp(margin), rel=1e-3)
    assert ranges.end_low[2] == pytest.approx(1e3 * np.exp(-margin / 2), rel=1e-2)


def test_model_without_ranges_has_no_metric_outside():
    ranges = training_ranges(make_predictor())
    monitor = InputRangeMonitor(ranges, 1)
    assert monitor.extend(np.arange(30.0)[None], np.full((1, 30, 3), 1e9)) is None

"""Rolling window, buckets and labels at times that are odd: 0, far from 0, nearly equal, years apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.features.dataset import build_dataset, split, typical_step
from model.features.feature_spec import make_spec
from model.features.labels import Rules, future_labels

pytestmark = pytest.mark.unit

COLUMNS = ("cpu_usage", "memory_usage")
RULES = Rules(((("cpu_usage", 0.8),),), sustained=60.0)
HORIZONS = (300.0, 3600.0)

TIMES = st.builds(
    lambda start, steps: np.unique(start + np.cumsum(np.array([0.0, *steps]))),
    st.sampled_from([0.0, 1.8e9]),
    st.lists(st.sampled_from([3e-7, 1e-6, 1e-3, 1.0, 60.0, 60.0, 60.0, 600.0, 86_400.0, 1e9]), max_size=60),
)


def values_of(times):
    rng = np.random.default_rng(len(times))
    values = rng.uniform(0, 1, (len(times), 2))
    values[rng.random(len(times)) < 0.1] = np.nan
    return values


@given(TIMES)
@settings(deadline=None, max_examples=60)
def test_window_of_single_rows_equals_that_of_many_at_any_times(times):
    values = values_of(times)
    spec = make_spec(COLUMNS, values, RULES, HORIZONS, typical_step(times, 1.0))
    many = spec.new_window()
    many.extend(times, values)
    single = spec.new_window()
    for row in range(len(times)):
        single.extend(times[row : row + 1], values[row : row + 1])
    names = ["state", "load_index", "sums", "counts", "last_high", "period_start"]
    if spec.seasonal:
        names.append("bucket_numbers")
    for name in names:
        np.testing.assert_array_equal(getattr(many, name), getattr(single, name), err_msg=name)
    assert set(np.unique(many.state[~np.isnan(many.state)])) <= {0.0, 1.0}
    assert (np.diff(many.sums[:, -1]) >= 0).all()


@given(TIMES)
@settings(deadline=None, max_examples=60)
def test_labels_are_binary_or_unknown_at_any_times(times):
    state = (values_of(times)[:, 0] > 0.8).astype(float)
    labels = future_labels(times, state, HORIZONS)
    assert labels.shape == (len(times), len(HORIZONS))
    assert set(np.unique(labels[~np.isnan(labels)])) <= {0.0, 1.0}


@given(TIMES)
@settings(deadline=None, max_examples=30)
def test_features_are_finite_or_missing_at_any_times(times):
    values = values_of(times)
    spec = make_spec(COLUMNS, values, RULES, HORIZONS, typical_step(times, 1.0))
    dataset = build_dataset(spec, times, values, 100)
    assert not np.isinf(dataset.x).any()
    if len(dataset):
        parts = split(dataset, HORIZONS, len(dataset) // 2, len(dataset))
        assert len(parts.train) + len(parts.holdout) == len(dataset)

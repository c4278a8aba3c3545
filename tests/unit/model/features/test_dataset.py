"""Datasets: coverage, split and masking of labels."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.features.dataset import (
    build_dataset,
    concatenate,
    covered_seconds,
    features_at,
    mask_labels,
    split,
    typical_step,
)
from model.features.feature_spec import make_spec
from model.features.labels import Rules
from tests.unit.model.conftest import COLUMNS, label_rows

pytestmark = pytest.mark.unit

RULES = Rules(((("cpu_usage", 0.8),),), sustained=30.0)


def test_covered_seconds_count_a_gap_as_a_single_step():
    assert covered_seconds(np.array([0.0, 10, 20, 500, 510]), 10.0) == 10 * 5
    assert covered_seconds(np.array([]), 10.0) == 0


def test_covered_seconds_follow_a_change_of_the_interval():
    imported = np.arange(0, 60_000, 60.0)
    live = 100_000 + np.arange(0, 10_000, 5.0)
    times = np.concatenate((imported, live))
    assert covered_seconds(times, typical_step(times, 1.0)) == pytest.approx(70_000, rel=0.01)
    assert covered_seconds(np.array([0.0, 1e9]), 10.0) == 20.0


def test_typical_step_is_the_median_or_the_default():
    assert typical_step(np.array([0.0, 10, 20, 500]), 1.0) == 10.0
    assert typical_step(np.array([0.0, 10]), 1.0) == 1.0


@pytest.mark.parametrize("start", [0.0, 1.8e9])
def test_typical_step_ignores_times_that_differ_by_rounding(start):
    times = start + np.arange(100) * 60.0
    doubled = np.unique(np.concatenate([times, times + 3e-7, times + 5e-4]))
    assert typical_step(doubled, 1.0) == pytest.approx(60.0, abs=0.001)


def test_typical_step_of_times_that_differ_only_by_rounding_is_the_default():
    assert typical_step(1.8e9 + np.arange(100) * 3e-7, 5.0) == 5.0


@given(
    start=st.sampled_from([0.0, 1.8e9]),
    steps=st.lists(st.sampled_from([3e-7, 1e-6, 1e-3, 1.0, 60.0, 600.0, 1e9]), max_size=30),
)
def test_covered_seconds_are_finite_and_at_most_the_span_plus_a_step(start, steps):
    times = np.unique(start + np.cumsum(np.array([0.0, *steps])))
    step = typical_step(times, 1.0)
    covered = covered_seconds(times, step)
    assert step >= 0.001
    assert step <= covered <= times[-1] - times[0] + step + 1e-6


def test_split_masks_training_labels_that_reach_into_the_holdout():
    times = np.arange(0.0, 1000, 10)
    horizons = (50.0, 200.0)
    dataset = label_rows(np.zeros((100, 2), np.float32), times)
    parts = split(replace(dataset, auxiliary=np.zeros((100, 4), np.float32)), horizons, 60, 80)
    for labels in (parts.train.y, parts.train.auxiliary[:, :2], parts.train.auxiliary[:, 2:]):
        for column, horizon in enumerate(horizons):
            known = parts.train.times[~np.isnan(labels[:, column])]
            assert known.max() + horizon == 590
    assert parts.holdout.times.tolist() == times[60:80].tolist()
    assert len(parts.train) == 60
    assert not np.isnan(parts.holdout.y).any()


def test_mask_labels_makes_labels_unknown_that_end_at_the_limit_or_later():
    dataset = label_rows(np.zeros((4, 2), np.float32), np.arange(0.0, 40, 10))
    masked = mask_labels(dataset, (5.0, 20.0), 35.0)
    assert np.isnan(masked.y).tolist() == [[False, False], [False, False], [False, True], [True, True]]


def test_build_dataset_spreads_rows_with_a_known_label(trace):
    times, values = trace
    spec = make_spec(COLUMNS, values, RULES, (60.0, 300.0), 10.0)
    dataset = build_dataset(spec, times, values, 500)
    assert 450 < len(dataset) <= 500
    assert not np.isnan(dataset.y).all(axis=1).any()
    assert np.array_equal(dataset.x, features_at(spec, times, values, dataset.times), equal_nan=True)
    halves = dataset.take(np.arange(200)), dataset.take(np.arange(200, len(dataset)))
    assert np.array_equal(concatenate(*halves).times, dataset.times)

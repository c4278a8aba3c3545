"""Datasets: coverage, split and masking of labels."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.features.dataset import (
    Dataset,
    build_dataset,
    concatenate,
    covered_seconds,
    features_at,
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


@pytest.mark.parametrize("start", [0.0, 1.8e9])
def test_split_keeps_labels_that_end_with_the_last_sample(start):
    times = start + np.arange(0, 6000, 60.0)
    n = len(times)
    columns = {"x": np.zeros((n, 1)), "y": np.zeros((n, 1)), "auxiliary": np.zeros((n, 1)), "state": np.zeros(n)}
    others = {f.name: np.full(n, 60.0) for f in fields(Dataset) if f.name not in {*columns, "times"}}
    holdout = split(Dataset(times=times, **columns, **others), (300.0,)).holdout
    assert np.isnan(holdout.y[:, 0]).tolist() == (holdout.times + 300.0 > times[-1]).tolist()


def test_split_masks_labels_that_reach_into_the_next_part():
    times = np.arange(0.0, 1000, 10)
    horizons = (50.0, 200.0)
    dataset = label_rows(np.zeros((100, 2), np.float32), times)
    parts = split(replace(dataset, auxiliary=np.zeros((100, 4), np.float32)), horizons)
    for part, end in ((parts.train, 800), (parts.holdout, 990.1)):
        for labels in (part.y, part.auxiliary[:, :2], part.auxiliary[:, 2:]):
            for column, horizon in enumerate(horizons):
                known = part.times[~np.isnan(labels[:, column])]
                assert known.size == 0 or known.max() + horizon < end
    assert parts.train.times.max() < parts.holdout.times.min()
    assert len(parts.train) == 80
    assert np.isnan(parts.holdout.y[:, 1]).all()


def test_build_dataset_spreads_rows_with_a_known_label(trace):
    times, values = trace
    spec = make_spec(COLUMNS, values, RULES, (60.0, 300.0), 10.0)
    dataset = build_dataset(spec, times, values, 500)
    assert 450 < len(dataset) <= 500
    assert not np.isnan(dataset.y).all(axis=1).any()
    assert np.array_equal(dataset.x, features_at(spec, times, values, dataset.times), equal_nan=True)
    halves = dataset.take(np.arange(200)), dataset.take(np.arange(200, len(dataset)))
    assert np.array_equal(concatenate(*halves).times, dataset.times)

"""Aggregates equal to those computed value by value."""

from __future__ import annotations

import math

import numpy as np
import pytest

from storage import SAMPLE_FIELDS
from storage.aggregates.computation import (
    BUCKET,
    PREDICTION_COLUMNS,
    SAMPLE_COLUMNS,
    aggregate_predictions,
    aggregate_samples,
)

pytestmark = pytest.mark.unit

START = 1_750_000_000.0 // BUCKET * BUCKET


def test_samples_have_counts_sums_and_maxima_of_each_bucket() -> None:
    rng = np.random.default_rng(1)
    times = np.sort(START + rng.choice(6000, 80, replace=False) / 4)
    times[0] = math.nextafter(START, -math.inf)
    values = rng.normal(0, 1, (80, len(SAMPLE_FIELDS)))
    values[rng.random(values.shape) < 0.3] = np.nan
    values[:, 5] = np.nan
    aggregates = aggregate_samples(np.column_stack((times, values)))
    assert aggregates.shape == (6, SAMPLE_COLUMNS)
    assert aggregates[:, 0].tolist() == [START + BUCKET * i for i in range(-1, 5)]
    for at, *row in aggregates.tolist():
        counts, sums, maxima = np.split(np.array(row), 3)
        for number in range(len(SAMPLE_FIELDS)):
            inside = values[(times >= at) & (times < at + BUCKET), number].tolist()
            known = [value for value in inside if not math.isnan(value)]
            assert counts[number] == len(known)
            assert sums[number] == pytest.approx(math.fsum(known), rel=1e-12, abs=1e-12)
            assert maxima[number] == max(known) if known else math.isnan(maxima[number])


def test_predictions_have_extremes_of_each_horizon_and_bucket() -> None:
    rows = np.array(
        [
            [START + 299.5, 60.0, 1, 0.25, 0.5, 0.75, 0, np.nan],
            [START + 300.0, 60.0, 2, 0.5, 0.25, 0.5, 0, np.nan],
            [START + 1.0, 300.0, 1, 0.125, 0.5, 1.0, 0, np.nan],
            [START + 0.0, 60.0, 1, 0.75, 0.25, 0.5, 1, START],
        ]
    )
    assert len(PREDICTION_COLUMNS) == 7
    assert aggregate_predictions(rows).tolist() == [
        [START, 60.0, 2, 0.75, 0.75, 0.5, 1],
        [START + 300, 60.0, 1, 0.5, 0.25, 0.5, 0],
        [START, 300.0, 1, 0.125, 0.5, 1.0, 0],
    ]


def test_no_rows_have_no_aggregates() -> None:
    assert aggregate_samples(np.empty((0, 1 + len(SAMPLE_FIELDS)))).shape == (0, SAMPLE_COLUMNS)
    assert aggregate_predictions(np.empty((0, 8))).shape == (0, 7)

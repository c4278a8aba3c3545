"""Benchmark of exhausted capacity: series and scores."""

import gzip

import numpy as np
import pytest

from benchmarks.capacity import beats_baselines, predictions, scores
from benchmarks.capacity_series import KINDS, STEP, filesystem, memory_of
from model.capacity.tasks import FILESYSTEM
from model.capacity.usage_grid import UsageGrid
from model.units import DAY

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("kind", KINDS)
def test_filesystem_series_are_ratios_and_reproducible(kind):
    used = filesystem(kind, 1, days=10)
    assert len(used) == 2880
    assert 0 <= used.min() <= used.max() <= 1
    np.testing.assert_array_equal(used, filesystem(kind, 1, days=10))


def test_predictions_have_the_outcomes_of_the_series():
    used = np.minimum(0.5 + np.arange(6 * 288) * 0.1 / 288, 1.0)
    rows = predictions(UsageGrid(STEP, used, used), FILESYSTEM, DAY / 4)
    crossing = int(np.argmax(used >= 0.95)) * STEP
    np.testing.assert_array_equal(rows[:, 4], rows[:, 0] + DAY >= crossing)
    assert rows[:, 1][rows[:, 4] == 1].min() > rows[:, 1][rows[:, 4] == 0].max()


def test_scores_of_perfect_predictions():
    y = np.array([0.0, 1.0, 0.0, 1.0])
    rows = np.stack([np.arange(4.0), y, 1 - y, y, y, np.zeros(4)], axis=1)
    corrected = np.stack([y, np.full(4, 0.5)], axis=1)
    table = scores(rows, corrected)
    assert table["model"]["skill"] == 1
    assert table["predict_linear"]["brier"] == 1
    assert beats_baselines({"scores": table})


def test_memory_of_a_trace_has_last_values_and_peaks(tmp_path):
    path = tmp_path / "trace.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write("timestamp,memory_usage\n0,0.5\n60,0.9\n240,0.6\n300,0.7\n360,\n")
    times, values, peaks = memory_of(path)
    np.testing.assert_array_equal(times, [300, 600])
    np.testing.assert_array_equal(values, [0.6, 0.7])
    np.testing.assert_array_equal(peaks, [0.9, 0.7])

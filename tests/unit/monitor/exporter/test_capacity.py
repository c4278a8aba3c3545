"""Metrics of exhausted capacity."""

from dataclasses import replace

import pytest

from monitor.exporter.capacity import capacity_metrics

pytestmark = pytest.mark.unit


def test_capacity_metrics_have_one_series_per_file_system(samples, state):
    values = samples(capacity_metrics(state.capacity))
    assert values["filesystem_usage_ratio", "/var"] == 0.8
    assert values["filesystem_full_probability", "/var", "1d"] == 0.75
    assert values["filesystem_full_seconds", "/var"] == 43_200
    assert values["filesystem_full_warning", "/var", "1d"] == 1
    assert values["memory_exhaustion_probability", "1h"] == 0.02


def test_capacity_metrics_leave_out_unknown_figures(samples, state):
    disk = state.capacity.resources[0]
    row = replace(disk.row, probability=None, full_seconds=None, inode_usage=None)
    values = samples(capacity_metrics(replace(state.capacity, resources=(replace(disk, row=row),), scores=())))
    assert set(values) == {("filesystem_usage_ratio", "/var"), ("filesystem_full_warning", "/var", "1d")}


def test_capacity_metrics_have_scores_of_each_predictor_once_they_are_known(samples, state):
    values = samples(capacity_metrics(state.capacity))
    assert values["capacity_brier_skill", "filesystem", "1d", "model"] == 0.6
    assert values["capacity_brier_score", "filesystem", "1d", "predict_linear"] == 0.08
    assert ("capacity_brier_score", "memory", "1h", "model") not in values
    assert values["capacity_predictions", "memory", "1h", "not_exhausted"] == 12
    assert values["capacity_predictions", "filesystem", "1d", "exhausted"] == 50


def test_capacity_metrics_are_absent_before_the_first_run(samples):
    assert samples(capacity_metrics(None)) == {}

"""Tests of the metrics of the periodic jobs."""

import pytest

from monitor.exporter.jobs import job_metrics

pytestmark = pytest.mark.unit


def test_job_metrics_state_counters_and_histograms(samples, state):
    values = samples(job_metrics(state.jobs))
    assert values["job_runs_total", "sampling_cycle"] == 10
    assert values["job_failures_total", "sampling_cycle"] == 1
    assert values["job_missed_total", "sampling_cycle"] == 2
    assert values["job_duration_seconds_sum", "sampling_cycle"] == 0.25
    assert values["job_delay_seconds_bucket", "sampling_cycle", "0.01"] == 9

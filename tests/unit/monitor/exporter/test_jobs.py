"""Tests of the metrics of the periodic jobs."""

from dataclasses import replace

import pytest

from monitor.exporter.jobs import job_metrics

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0


def test_job_without_a_successful_run_has_no_time_of_success(samples, state):
    job = replace(state.jobs["sampling_cycle"], last_success_at=None, hung=True)
    values = samples(job_metrics({"retention": job}))
    assert ("job_last_success_timestamp_seconds", "retention") not in values
    assert values["job_hung", "retention"] == 1


def test_job_metrics_state_counters_and_histograms(samples, state):
    values = samples(job_metrics(state.jobs))
    assert values["job_runs_total", "sampling_cycle"] == 10
    assert values["job_failures_total", "sampling_cycle"] == 1
    assert values["job_missed_total", "sampling_cycle"] == 2
    assert values["job_last_success_timestamp_seconds", "sampling_cycle"] == NOW - 5
    assert values["job_hung", "sampling_cycle"] == 0
    assert values["job_duration_seconds_sum", "sampling_cycle"] == 0.25
    assert values["job_delay_seconds_bucket", "sampling_cycle", "0.01"] == 9

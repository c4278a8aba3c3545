"""Tests of the metrics of the database."""

from dataclasses import replace

import pytest

from monitor.exporter.database import record_metrics, write_metrics

pytestmark = pytest.mark.unit


def test_write_metrics_state_failures_and_buffered_and_dropped_samples(samples, state):
    assert samples(write_metrics(state.storage)) == {
        ("storage_write_failures_total",): 5,
        ("storage_buffered_samples",): 4.0,
        ("samples_dropped_total",): 6,
        ("storage_available",): 1,
        ("storage_quarantines_total",): 2,
    }


def test_record_metrics_leave_out_unknown_free_space_and_oldest_sample(samples, overview):
    known = samples(record_metrics(overview))
    assert known["storage_wal_bytes",] == 2_097_152
    assert known["storage_free_bytes",] == 8_589_934_592
    unknown = samples(record_metrics(replace(overview, storage_free_bytes=None, oldest_sample_at=None)))
    del unknown["storage_quarantined_files",]
    assert set(unknown) == {("storage_size_bytes",), ("storage_wal_bytes",)}

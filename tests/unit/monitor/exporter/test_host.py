"""Tests of the metrics of host and sampling."""

import pytest

from monitor.exporter.host import host_metrics, sampling_metrics
from storage import SAMPLE_FIELDS, Sample

pytestmark = pytest.mark.unit


def test_host_metrics_leave_out_missing_values(samples):
    assert samples(host_metrics(Sample(1.0, cpu_usage=0.5, disk_read=0.0))) == {
        ("host_cpu_usage_ratio",): 0.5,
        ("host_disk_read_bytes_per_second",): 0.0,
    }


def test_host_metrics_cover_every_sample_field(samples):
    full = Sample(1.0, **dict.fromkeys(SAMPLE_FIELDS, 0.5))
    assert len(samples(host_metrics(full))) == len(SAMPLE_FIELDS)


def test_sampling_metrics_state_each_source(samples, live):
    values = samples(sampling_metrics(live))
    assert (values["source_success", "cpu"], values["source_success", "disk"]) == (1.0, 0.0)
    assert (values["samples_total",], values["samples_missed_total",]) == (100, 2)

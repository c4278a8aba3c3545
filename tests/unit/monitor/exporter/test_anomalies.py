"""Tests of the metrics of the anomaly detector."""

import math
from dataclasses import replace

import pytest

from monitor.exporter.anomalies import anomaly_metrics

pytestmark = pytest.mark.unit


def test_anomaly_metrics_are_absent_without_detector(samples):
    assert samples(anomaly_metrics(None)) == {}


def test_anomaly_metrics_leave_out_start_time_without_anomaly(samples, state):
    values = samples(anomaly_metrics(replace(state.anomaly, active=None)))
    assert values["anomaly_active",] == 0.0
    assert ("anomaly_started_timestamp_seconds",) not in values


def test_anomaly_metrics_leave_out_undefined_score(samples, state):
    reading = replace(state.anomaly.reading, score=math.nan)
    values = samples(anomaly_metrics(replace(state.anomaly, reading=reading)))
    assert ("anomaly_score",) not in values
    assert values["anomaly_evidence_ratio", "joint"] == 1.5


def test_anomaly_metrics_without_reading_have_state_only(samples, state):
    values = samples(anomaly_metrics(replace(state.anomaly, reading=None)))
    assert not {"anomaly_score", "anomaly_timestamp_seconds"} & {labels[0] for labels in values}

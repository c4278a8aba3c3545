"""Tests of the metrics of the serving model."""

from dataclasses import replace

import pytest

from monitor.exporter.model import drift_metrics, model_metrics

pytestmark = pytest.mark.unit


def test_model_metrics_are_not_ready_without_live_state(samples):
    assert samples(model_metrics(ready=False, overview=None)) == {("model_ready",): 0.0}


def test_model_metrics_leave_out_scores_that_cannot_be_computed(samples, overview):
    report = overview.model.report
    horizon = report.horizons[0]
    without_precision = replace(horizon, scores={"network": horizon.scores["climatology"]})
    model = replace(overview.model, report=replace(report, horizons=(without_precision,)))
    values = samples(model_metrics(ready=True, overview=replace(overview, model=model)))
    assert ("model_holdout_average_precision", "5m") not in values
    assert ("model_holdout_brier_score", "5m") in values


def test_model_metrics_state_blend_weights(samples, overview):
    values = samples(model_metrics(ready=True, overview=overview))
    weights = {labels[1:]: value for labels, value in values.items() if labels[0] == "model_share_ratio"}
    assert weights == {("5m", "network"): 0.75, ("5m", "load_table"): 0.25, ("5m", "pretrained"): 0.0}


def test_drift_metrics_state_each_metric(samples, overview):
    assert samples(drift_metrics(overview)) == {
        ("input_drift", "cpu_usage"): 0.05,
        ("input_drift", "memory_usage"): 0.5,
    }

"""Tests of the metrics of trainings."""

from dataclasses import replace

import pytest

from monitor.exporter.training import report_metrics, retraining_metrics

pytestmark = pytest.mark.unit


def test_retraining_metrics_count_runs_by_outcome(samples, overview):
    values = samples(retraining_metrics(overview))
    runs = {labels[1]: value for labels, value in values.items() if labels[0] == "retrain_runs_total"}
    assert runs == {"promoted": 3, "refused": 2, "skipped": 1, "failed": 0}


def test_retraining_metrics_leave_out_unknown_times(samples, overview):
    never = replace(overview, last_run=None, last_success=None, next_retrain_at=None)
    assert not [labels for labels in samples(retraining_metrics(never)) if "timestamp" in labels[0]]


def test_report_metrics_set_a_single_gradient_state(samples, overview):
    values = samples(report_metrics(overview.last_run.report))
    states = {labels[1]: value for labels, value in values.items() if labels[0] == "training_gradient_state"}
    assert states == {"healthy": 1.0, "vanishing": 0.0, "exploding": 0.0}


def test_report_metrics_state_losses_of_kept_epoch(samples, overview):
    values = samples(report_metrics(overview.last_run.report))
    assert (values["training_loss", "train"], values["training_loss", "validation"]) == (0.3, 0.35)


def test_report_metrics_are_absent_without_network(samples, overview):
    assert samples(report_metrics(replace(overview.last_run.report, health=None))) == {}

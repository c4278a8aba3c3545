"""Tests of `model.nn.diagnostics.fit_report`."""

import pytest

from model.nn.diagnostics.fit_report import Epoch, FitReport, combine_reports
from model.nn.diagnostics.gradient_health import GradientHealth, GradientState

pytestmark = pytest.mark.unit


def report(losses, kept_epoch):
    health = GradientHealth(
        GradientState.HEALTHY, parameters=(), layers=(), steps=2, clipped_steps=0, nonfinite_steps=0
    )
    return FitReport(tuple(Epoch(i + 1, loss, loss, 1.0) for i, loss in enumerate(losses)), kept_epoch, health)


def test_kept_is_the_result_of_the_kept_epoch():
    assert report([0.5, 0.3, 0.4], 2).kept.validation_loss == 0.3


def test_combined_epochs_are_means_with_the_last_epoch_of_shorter_fits():
    combined = combine_reports([report([0.5, 0.3, 0.1], 3), report([0.7], 1)])
    assert [epoch.number for epoch in combined.epochs] == [1, 2, 3]
    assert [epoch.train_loss for epoch in combined.epochs] == pytest.approx([0.6, 0.5, 0.4])
    assert combined.kept_epoch == 3
    assert combined.health.steps == 4

"""Tests of `model.nn.training`: divergence."""

from dataclasses import replace

import numpy as np
import pytest

from model.errors import DivergedError
from model.nn.diagnostics.gradient_health import GradientState, IssueKind
from model.nn.fit_config import FitConfig
from model.nn.losses import MSE
from model.nn.optimizers import SGD
from tests.unit.model.nn.cases import CONFIG, issue_kinds, new_training, xor_examples

pytestmark = pytest.mark.unit


def test_divergence_raises_and_leaves_finite_weights():
    config = replace(CONFIG, optimizer=SGD(), learning_rate=1e8, schedule="constant", gradient_clip=0, patience=0)
    training = new_training(*xor_examples(), config, loss=MSE())
    with pytest.raises(DivergedError):
        training.run()
    assert np.isfinite(training.network.flat).all()


@pytest.mark.parametrize(
    ("optimizer", "rate"), [("sgd", 1e300), ("adamw", 1e300), ("rmsprop", 1e38), ("adam", 1e20), ("sgd", 1e6)]
)
def test_divergence_in_the_last_step_restores_the_initial_weights(optimizer, rate):
    train, _ = xor_examples(100)
    training = new_training(
        train, None, FitConfig(optimizer, rate, "constant", epochs=1, batch_size=50, gradient_clip=0)
    )
    before = training.network.flat.copy()
    with pytest.raises(DivergedError):
        training.run()
    assert np.array_equal(training.network.flat, before)


def with_nonfinite_steps(steps):
    """Return a training whose gradient norm is infinite at the given steps, counted from 1."""
    training = new_training(*xor_examples(), replace(CONFIG, epochs=2, batch_size=30))
    record_gradient, calls = training._statistics.record_gradient, []

    def faulty():
        calls.append(1)
        norm = record_gradient()
        return float("inf") if len(calls) in steps else norm

    training._statistics.record_gradient = faulty
    return training


def test_steps_with_non_finite_gradient_are_skipped_and_counted():
    report = with_nonfinite_steps({3, 25}).run()
    assert (report.health.nonfinite_steps, report.health.steps) == (2, 40)
    assert report.health.state is GradientState.EXPLODING
    assert IssueKind.NONFINITE_GRADIENT in issue_kinds(report)


def test_too_many_non_finite_gradients_count_as_divergence():
    with pytest.raises(DivergedError):
        with_nonfinite_steps(set(range(40))).run()

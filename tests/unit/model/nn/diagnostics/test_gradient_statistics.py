"""Tests of `model.nn.diagnostics.gradient_statistics`."""

import numpy as np
import pytest

from model.nn.diagnostics.gradient_statistics import (
    BUFFER_STEPS,
    BUFFERED_PARAMETERS,
    UPDATE_INTERVAL,
    GradientStatistics,
)
from model.nn.network import mlp

pytestmark = pytest.mark.unit

SIZES = {"all buffered": (2, 4, 1), "biases buffered": (64, 64, 1), "none buffered": (1, BUFFERED_PARAMETERS + 1, 1)}


def record(network, statistics, gradient, steps, rng):
    """Record random gradients; return their norms (steps, parameters)."""
    norms = []
    for _ in range(steps):
        gradient[:] = rng.normal(size=gradient.size)
        total = statistics.record_gradient()
        norms.append([float(np.linalg.norm(view)) for view in network.views(gradient).values()])
        assert total == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
    return np.array(norms)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_norms_are_the_mean_of_the_last_epoch_the_last_and_the_largest(sizes):
    rng = np.random.default_rng(0)
    network = mlp(sizes, rng)
    gradient = np.empty_like(network.flat)
    statistics = GradientStatistics(network, gradient)
    norms = []
    for steps in (BUFFER_STEPS + 20, 30):
        statistics.start_epoch()
        norms.append(record(network, statistics, gradient, steps, rng))
    parameters = statistics.parameter_health()
    assert [parameter.name for parameter in parameters] == list(network.names)
    assert [parameter.norm for parameter in parameters] == pytest.approx(norms[-1].mean(axis=0), rel=1e-4)
    assert [parameter.norm_max for parameter in parameters] == pytest.approx(
        np.max(np.vstack(norms), axis=0), rel=1e-4
    )
    assert [parameter.norm_last for parameter in parameters] == pytest.approx(norms[-1][-1], rel=1e-4)


def test_non_finite_gradient_is_counted_and_left_out():
    network = mlp((2, 4, 1), np.random.default_rng(0))
    gradient = np.ones_like(network.flat)
    statistics = GradientStatistics(network, gradient)
    statistics.start_epoch()
    statistics.record_gradient()
    gradient[3] = np.nan
    assert np.isnan(statistics.record_gradient())
    statistics.discard_nonfinite()
    assert statistics.step_counts == (2, 0, 1)
    assert [parameter.norm for parameter in statistics.parameter_health()] == pytest.approx(
        [np.sqrt(view.size) for view in network.views(gradient).values()]
    )


def test_clipped_steps_are_counted():
    network = mlp((2, 1), np.random.default_rng(0))
    statistics = GradientStatistics(network, np.ones_like(network.flat))
    statistics.record_gradient()
    statistics.count_clipped()
    assert statistics.step_counts.clipped == 1


def test_update_ratio_is_measured_at_the_first_step_and_then_at_intervals():
    network = mlp((2, 1), np.random.default_rng(0))
    statistics = GradientStatistics(network, np.ones_like(network.flat))
    due = []
    for _ in range(2 * UPDATE_INTERVAL):
        statistics.record_gradient()
        due.append(statistics.update_due)
    assert [step for step, is_due in enumerate(due) if is_due] == [0, UPDATE_INTERVAL]


def test_update_ratio_is_the_norm_of_the_update_over_that_of_the_parameter():
    network = mlp((2, 1), np.random.default_rng(0))
    network.flat[:] = [3.0, 4.0, 0.0]
    statistics = GradientStatistics(network, np.ones_like(network.flat))
    statistics.start_epoch()
    statistics.record_gradient()
    statistics.record_update(np.array([0.3, 0.4, 0.001], np.float32))
    weight, bias = statistics.parameter_health()
    assert weight.update_ratio == pytest.approx(0.1)
    assert bias.update_ratio == pytest.approx(1.0), "the norm of a parameter counts as at least 0.001"


def test_update_ratio_of_an_epoch_without_measurement_is_that_of_the_previous_epoch():
    network = mlp((2, 1), np.random.default_rng(0))
    network.flat[:] = [3.0, 4.0, 1.0]
    statistics = GradientStatistics(network, np.ones_like(network.flat))
    for ratio in (0.1, 0.3):
        statistics.record_update(ratio * network.flat)
    statistics.start_epoch()
    assert statistics.parameter_health()[0].update_ratio == pytest.approx(0.2)
    statistics.record_update(0.5 * network.flat)
    assert statistics.parameter_health()[0].update_ratio == pytest.approx(0.5)


def test_restored_statistics_continue_like_the_original():
    rng = np.random.default_rng(0)
    network = mlp((2, 4, 1), rng)
    gradient = np.empty_like(network.flat)
    original, restored = GradientStatistics(network, gradient), GradientStatistics(network, gradient)
    original.start_epoch()
    record(network, original, gradient, 5, rng)
    original.record_update(0.1 * network.flat)
    restored.restore(original.state())
    for statistics in (original, restored):
        statistics.start_epoch()
        record(network, statistics, gradient, 3, np.random.default_rng(1))
    assert restored.parameter_health() == original.parameter_health()
    assert restored.step_counts == original.step_counts

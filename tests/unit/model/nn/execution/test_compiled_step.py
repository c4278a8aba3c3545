"""Tests of `model.nn.execution.compiled_step`."""

import numpy as np
import pytest

from model.nn.activations import ACTIVATIONS, LeakyReLU
from model.nn.execution.compiled_step import CallRecorder, CompiledFunction, CompiledStep, plan_epoch
from model.nn.layers import Dropout, Linear
from model.nn.losses import MSE
from model.nn.network import Network, mlp
from tests.unit.model.nn.cases import LOSS_CASES, random_labels

pytestmark = pytest.mark.unit


def run(step):
    """Make one step; return the logits."""
    logits = step.forward()
    step.loss_gradient()
    step.backward()
    return logits


def assert_equals_plain_passes(network, loss, x, y, logits, gradient, rng):
    expected, caches = network.forward(x, rng)
    _, gradients = network.backward(loss(expected, y)[1], caches)
    assert np.array_equal(logits, expected)
    assert all(np.array_equal(view, gradients[name]) for name, view in network.views(gradient).items())


def test_recorder_repeats_calls_on_the_same_memory():
    x = np.array([1.0, 2.0])
    recorder = CallRecorder()
    doubled = recorder(np.multiply, x, 2.0)
    recorder(np.add, doubled, 1.0, out=doubled)
    x[:] = 10.0
    recorder.replay()
    assert doubled.tolist() == [21.0, 21.0]


def test_compiled_function_runs_once_and_then_repeats_its_array_calls():
    x, calls = np.array([1.0]), []

    def function(ops):
        calls.append(1)
        return ops(np.negative, x)

    compiled = CompiledFunction(function)
    assert compiled().tolist() == [-1.0]
    x[:] = 5.0
    assert compiled().tolist() == [-5.0]
    assert len(calls) == 1


@pytest.mark.parametrize("loss", LOSS_CASES.values(), ids=LOSS_CASES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_replayed_step_equals_plain_passes_bit_for_bit(activation, loss):
    rng = np.random.default_rng(4)
    network = mlp((4, 6, 5, 3), rng, activation=activation, dropout=0.3)
    first, second = rng.normal(size=(2, 9, 4)).astype(np.float32)
    y = random_labels(loss, rng)
    inputs, gradient = first.copy(), np.empty_like(network.flat)
    dropout_rng = np.random.default_rng(6)
    step = CompiledStep(network, loss, gradient, inputs, loss.targets(y, np.float32), dropout_rng)
    run(step)
    assert np.array_equal(inputs, first), "the step must not overwrite its inputs"
    inputs[...] = second
    state = dropout_rng.bit_generator.state
    logits = run(step)
    repeated_rng = np.random.default_rng()
    repeated_rng.bit_generator.state = state
    assert_equals_plain_passes(network, loss, second, y, logits, gradient, repeated_rng)


@pytest.mark.parametrize(
    "layers",
    [
        lambda linear, tanh: [Dropout(0.2), tanh, LeakyReLU(), linear, tanh, LeakyReLU(), Dropout(0.2), linear, tanh],
        lambda linear, tanh: [Dropout(0.0), tanh, linear],
        lambda linear, tanh: [linear, tanh, Dropout(0.0), LeakyReLU(), linear],
        lambda linear, tanh: [Dropout(0.0), Dropout(0.0), tanh, Dropout(0.0), linear, Dropout(0.0), tanh],
    ],
)
def test_step_equals_plain_passes_for_parameterless_layers_in_any_position(layers):
    rng = np.random.default_rng(7)
    linear = Linear(rng.normal(size=(4, 4)), rng.normal(size=4))
    network = Network(layers(linear, ACTIVATIONS["tanh"]()))
    x, y = rng.normal(size=(2, 6, 4))
    inputs, gradient = x.copy(), np.empty_like(network.flat)
    step = CompiledStep(network, MSE(), gradient, inputs, MSE().targets(y, float), np.random.default_rng(1))
    logits = run(step)
    assert np.array_equal(inputs, x)
    assert_equals_plain_passes(network, MSE(), x, y, logits, gradient, np.random.default_rng(1))


def test_plan_epoch_covers_all_rows_and_shares_steps_of_equal_size():
    rng = np.random.default_rng(0)
    network = mlp((2, 3, 1), rng)
    x, y = rng.normal(size=(10, 2)).astype(np.float32), rng.normal(size=(10, 1))
    targets = MSE().targets(y, np.float32)
    plan = plan_epoch(network, MSE(), x, targets, 4, np.empty_like(network.flat), rng)
    assert [rows for rows, _ in plan] == [slice(0, 4), slice(4, 8), slice(8, 10)]
    assert plan[0][1] is plan[1][1] is not plan[2][1]


def test_loaded_batch_gives_the_gradient_of_its_rows():
    rng = np.random.default_rng(0)
    network = mlp((2, 3, 1), rng)
    x, y = rng.normal(size=(10, 2)).astype(np.float32), rng.normal(size=(10, 1))
    y[4] = np.nan
    gradient = np.empty_like(network.flat)
    targets = MSE().targets(y, np.float32)
    plan = plan_epoch(network, MSE(), x, targets, 4, gradient, rng)
    order = rng.permutation(10)
    for rows, step in plan:
        step.load(x, targets.take(order), order, rows)
        logits = run(step)
        assert_equals_plain_passes(network, MSE(), x[order[rows]], y[order[rows]], logits, gradient, None)

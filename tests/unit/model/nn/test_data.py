"""Tests of `model.nn.data`."""

import numpy as np
import pytest

from model.errors import InputError, InputProblem
from model.nn.data import Examples, TrainingData, prepare
from model.nn.losses import MSE, BCEWithLogits
from model.nn.network import mlp
from tests.unit.model.nn.cases import xor_examples

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda e: Examples(np.where(e.x > 2, np.inf, e.x), e.y), InputProblem.NOT_FINITE),
        (lambda e: Examples(np.where(e.x > 2, np.nan, e.x), e.y), InputProblem.NOT_FINITE),
        (lambda e: Examples(e.x.astype(float) * 1e300, e.y), InputProblem.NOT_FINITE),
        (lambda e: Examples(e.x, e.y * 2), InputProblem.LABEL),
        (lambda e: Examples(e.x, np.full_like(e.y, np.nan)), InputProblem.NO_KNOWN_LABEL),
        (lambda e: Examples(e.x[:-1], e.y), InputProblem.SHAPE),
        (lambda e: Examples(e.x[:0], e.y[:0]), InputProblem.SHAPE),
        (lambda e: Examples(e.x[:, 0], e.y), InputProblem.SHAPE),
        (lambda e: Examples(e.x[:, :1], e.y), InputProblem.SHAPE),
        (lambda e: Examples(e.x, np.hstack([e.y, e.y])), InputProblem.SHAPE),
        (lambda e: Examples(e.x.astype(complex), e.y), InputProblem.SHAPE),
    ],
)
def test_prepare_rejects_examples_that_cannot_be_learned_from(change, problem):
    train, _ = xor_examples()
    network = mlp((2, 4, 1), np.random.default_rng(0))
    with pytest.raises(InputError) as raised:
        prepare(network, BCEWithLogits(), change(train), "training")
    assert raised.value.problem is problem


def test_error_names_the_examples_and_the_position_of_the_value():
    x = np.zeros((3, 2))
    x[2, 1] = np.inf
    network = mlp((2, 1), np.random.default_rng(0))
    with pytest.raises(InputError, match=r"training .* \(row 2, column 1\)"):
        prepare(network, MSE(), Examples(x, np.zeros((3, 1))), "training")


def test_prepare_does_not_copy_inputs_of_the_dtype_of_the_network():
    train, _ = xor_examples()
    inputs, _ = prepare(mlp((2, 1), np.random.default_rng(0)), BCEWithLogits(), train, "training")
    assert inputs is train.x


def test_training_data_rejects_a_single_class_in_training_labels_only():
    train, validation = xor_examples()
    network = mlp((2, 1), np.random.default_rng(0))
    calm = Examples(validation.x, np.zeros_like(validation.y))
    with pytest.raises(InputError) as raised:
        TrainingData(network, BCEWithLogits(), calm, None)
    assert raised.value.problem is InputProblem.SINGLE_CLASS
    assert TrainingData(network, BCEWithLogits(), train, calm).validation is not None


def test_validation_examples_are_checked_and_named():
    train, validation = xor_examples()
    network = mlp((2, 1), np.random.default_rng(0))
    with pytest.raises(InputError, match=r"^validation "):
        TrainingData(network, BCEWithLogits(), train, Examples(validation.x + np.inf, validation.y))


def test_losses_are_those_of_the_network_on_the_examples():
    train, validation = xor_examples(100)
    network = mlp((2, 4, 1), np.random.default_rng(0))
    data = TrainingData(network, BCEWithLogits(), train, validation)
    assert data.sampled_loss() == pytest.approx(BCEWithLogits()(network.predict(train.x), train.y)[0])
    expected = BCEWithLogits()(network.predict(validation.x), validation.y)[0]
    assert data.validation_loss() == pytest.approx(expected)
    assert np.isnan(TrainingData(network, BCEWithLogits(), train, None).validation_loss())


def test_evaluation_inputs_are_those_of_the_validation_examples_if_present():
    train, validation = xor_examples(100)
    network = mlp((2, 1), np.random.default_rng(0))
    assert TrainingData(network, BCEWithLogits(), train, validation).evaluation_inputs is validation.x
    assert TrainingData(network, BCEWithLogits(), train, None).evaluation_inputs is train.x


def test_only_training_labels_must_be_known_for_each_output():
    rng = np.random.default_rng(0)
    network = mlp((2, 2), rng)
    x, y = rng.normal(size=(40, 2)), (rng.random((40, 2)) < 0.5).astype(float)
    partly = Examples(x, np.where([True, False], y, np.nan))
    with pytest.raises(InputError, match="training labels: output 1 has no known label") as raised:
        TrainingData(network, BCEWithLogits(), partly, None)
    assert raised.value.problem is InputProblem.NO_KNOWN_LABEL
    data = TrainingData(network, BCEWithLogits(), Examples(x, y), partly)
    expected, _ = BCEWithLogits()(network.predict(x.astype(np.float32))[:, :1], y[:, :1])
    assert data.validation_loss() == pytest.approx(expected, rel=1e-6)
    with pytest.raises(InputError, match="validation labels: none is known"):
        TrainingData(network, BCEWithLogits(), Examples(x, y), Examples(x, np.full_like(y, np.nan)))

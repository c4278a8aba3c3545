"""Tests of `model.nn.numerics`."""

import numpy as np
import pytest

from model.errors import InputError, InputProblem
from model.nn.numerics import encode_classes, logit, row_maximum, sigmoid, softmax, softplus, transposed_copy

pytestmark = pytest.mark.unit

EXTREME = np.array([[-1000.0, -20.0, 0.0, 20.0, 1000.0]], np.float32)


def test_sigmoid_is_exact_for_extreme_logits():
    assert sigmoid(EXTREME)[0].tolist() == pytest.approx([0.0, 2.0611536e-09, 0.5, 1.0, 1.0])


@pytest.mark.parametrize("function", [sigmoid, softplus])
def test_function_gives_equal_results_for_few_and_many_elements(function):
    many = np.tile(EXTREME, (1, 40))
    assert np.allclose(function(many)[:, :5], function(EXTREME), rtol=1e-6)


def test_softplus_approaches_zero_and_the_identity():
    assert softplus(EXTREME)[0, 0] == 0
    assert softplus(EXTREME)[0, -1] == 1000


def test_softmax_is_exact_for_extreme_logits():
    assert softmax(np.array([[1000.0, 0.0]])).tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("function", [sigmoid, softplus, softmax])
def test_function_keeps_the_dtype(function):
    assert function(EXTREME).dtype == np.float32


def test_logit_inverts_sigmoid_and_clips_at_its_floor():
    assert sigmoid(logit(np.array([0.2, 0.9]))) == pytest.approx([0.2, 0.9])
    assert logit(np.array([0.0, 1.0]), floor=0.1) == pytest.approx([np.log(1 / 9), np.log(9)])


def test_encode_classes_returns_indicator_vectors():
    assert encode_classes(np.array([1, 0]), 2).tolist() == [[0.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize("labels", [[0, 2], [-1, 0], [0.5, 0]])
def test_encode_classes_rejects_labels_that_are_no_class(labels):
    with pytest.raises(InputError) as raised:
        encode_classes(np.array(labels), 2)
    assert raised.value.problem is InputProblem.LABEL


def test_row_maximum_writes_to_its_output_array():
    out = np.empty((2, 1))
    assert row_maximum(np.array([[1.0, 3.0], [-2.0, -5.0]]), out) is out
    assert out.tolist() == [[3.0], [-2.0]]


@pytest.mark.parametrize("shape", [(3, 1), (1, 3), (2, 3)])
def test_transposed_copy_shares_no_memory(shape):
    a = np.arange(np.prod(shape), dtype=float).reshape(shape)
    transposed = transposed_copy(a)
    assert np.array_equal(transposed, a.T)
    assert not np.shares_memory(transposed, a)
    assert transposed_copy(a, transposed) is transposed

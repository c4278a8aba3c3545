"""Tests of `model.nn.numerics`."""

import numpy as np
import pytest

from model.nn.numerics import logit, sigmoid, softmax, softplus

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

"""Tests of `model.nn.execution.array_ops`."""

import numpy as np
import pytest

from model.nn.execution.array_ops import EAGER, maximum, minimum, row_maximum, transposed_copy

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("function", "expected"), [(maximum, [2.0, 3.0]), (minimum, [1.0, 2.0])])
def test_function_writes_to_its_output_array(function, expected):
    a, b, out = np.array([1.0, 3.0]), np.array([2.0, 2.0]), np.empty(2)
    assert EAGER(function, a, b, out=out) is out
    assert out.tolist() == expected
    assert EAGER(function, a, b).tolist() == expected


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

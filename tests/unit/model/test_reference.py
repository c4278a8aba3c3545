"""A hundred steps end where PyTorch's end: with the recorded figures always, and live where torch is installed."""

import importlib.util

import numpy as np
import pytest

from model.nn.activations import ACTIVATIONS
from model.nn.losses import LOSSES
from model.nn.optimizers import OPTIMIZERS

from .reference import CASES, GOLDEN, flattened, key, ours, theirs

pytestmark = pytest.mark.unit

AGREEMENT = {np.float32: 1e-3, np.float64: 1e-10}
"""Relative tolerance. In float32 a hundred steps amplify the rounding differences between BLAS kernels of CPUs."""


def test_every_row_of_the_tables_is_compared():
    assert {case.activation for case in CASES.values()} == set(ACTIVATIONS)
    assert {type(case.loss) for case in CASES.values()} == set(LOSSES.values())
    assert {type(case.optimizer) for case in CASES.values()} == {type(make()) for make in OPTIMIZERS.values()}


def agree(found, expected, dtype):
    assert found.dtype == dtype
    assert np.max(np.abs(found - expected)) <= AGREEMENT[dtype] * np.max(np.abs(expected))


@pytest.mark.parametrize("dtype", AGREEMENT)
@pytest.mark.parametrize("name", CASES)
def test_a_hundred_steps_end_where_they_were_recorded(name, dtype):
    with np.load(GOLDEN) as golden:
        expected = golden[key(name, dtype)]
    agree(flattened(ours(CASES[name], dtype)), expected, dtype)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed: recorded figures only")
@pytest.mark.parametrize("dtype", AGREEMENT)
@pytest.mark.parametrize("name", CASES)
def test_a_hundred_steps_end_where_they_end_in_torch_now(name, dtype):
    agree(flattened(ours(CASES[name], dtype)), flattened(theirs(CASES[name], dtype)), dtype)

"""Tests of `model.nn.losses.base`, with every loss."""

import numpy as np
import pytest

from model.errors import InputError, InputProblem
from model.nn.losses import LOSSES, MSE, BCEWithLogits
from tests.unit.model.nn.cases import LOSS_CASES, random_labels

pytestmark = pytest.mark.unit


def test_every_loss_of_the_table_has_a_case():
    assert {type(loss) for loss in LOSS_CASES.values()} == set(LOSSES.values())


@pytest.mark.parametrize("loss", LOSS_CASES.values(), ids=LOSS_CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_loss_is_finite_for_extreme_logits(loss, dtype):
    z = np.array([[1000.0, -1000.0, 0.0], [-1000.0, 1000.0, 1000.0]], dtype)
    y = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], dtype)
    value, gradient = loss(z, y)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    assert gradient.dtype == dtype
    assert np.isfinite(loss.predictions(z)).all()


@pytest.mark.parametrize("loss", LOSS_CASES.values(), ids=LOSS_CASES)
def test_unknown_label_contributes_no_gradient_and_no_value(loss):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(9, 3))
    y = random_labels(loss, rng)
    value, gradient = loss(z, y)
    assert gradient[3, 0] == 0
    z[3, 0] = 5.0
    assert loss(z, y)[0] == pytest.approx(value)
    if loss.per_row:
        known = np.arange(9) != 3
        assert value == pytest.approx(loss(z[known], y[known])[0])


def test_value_is_the_mean_over_the_known_labels():
    z = np.array([[0.3, -2.0]])
    value, gradient = BCEWithLogits()(z, np.array([[1.0, np.nan]]))
    expected, _ = BCEWithLogits()(z[:, :1], np.array([[1.0]]))
    assert value == expected
    assert gradient[0, 1] == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, bool, np.float16])
def test_labels_of_any_dtype_give_the_same_loss(dtype):
    z, y = np.array([[2.0], [-1.0]]), np.array([[0], [1]])
    expected, expected_gradient = BCEWithLogits()(z, y.astype(float))
    value, gradient = BCEWithLogits()(z, y.astype(dtype))
    assert value == expected
    assert np.array_equal(gradient, expected_gradient)


@pytest.mark.parametrize("shape", [(4,), (1, 1), (4, 2)])
def test_loss_rejects_labels_of_another_shape(shape):
    with pytest.raises(InputError) as raised:
        MSE()(np.zeros((4, 1)), np.zeros(shape))
    assert raised.value.problem is InputProblem.SHAPE


def test_targets_take_selects_rows_with_their_weights():
    targets = BCEWithLogits(positive_weight=3.0).targets(np.array([[0.0], [1.0], [np.nan]]), np.float64)
    assert targets.take(np.array([1, 2])).weight.tolist() == [[3.0], [0.0]]
    assert targets.take(slice(0, 1)).values.tolist() == [[1.0]]

"""Tests of `model.nn.losses.classification`."""

import numpy as np
import pytest

from model.errors import InputError, InputProblem
from model.nn.losses import BCEWithLogits, CrossEntropyWithLogits
from model.nn.losses.classification import encode_classes

pytestmark = pytest.mark.unit


def test_cross_entropy_matches_hand_calculation_for_extreme_logits():
    value, gradient = CrossEntropyWithLogits()(np.array([[1000.0, 0.0]]), np.array([[0.0, 1.0]]))
    assert value == 1000.0
    assert gradient.tolist() == [[1.0, -1.0]]


def test_bce_weights_a_positive_label_like_repeated_rows():
    z, y = np.array([[0.3], [-0.2], [1.0]]), np.array([[1.0], [0.0], [0.0]])
    repeated, _ = BCEWithLogits()(z[[0, 0, 0, 1, 2]], y[[0, 0, 0, 1, 2]])
    weighted, _ = BCEWithLogits(positive_weight=3.0)(z, y)
    assert weighted * 3 == pytest.approx(repeated * 5)


def test_bce_weights_the_outputs():
    z, y = np.array([[0.3, -0.2]]), np.array([[1.0, 0.0]])
    first, second = (BCEWithLogits()(z[:, [i]], y[:, [i]])[0] for i in range(2))
    weighted, _ = BCEWithLogits(output_weights=(1.0, 0.5))(z, y)
    assert weighted == pytest.approx((first + 0.5 * second) / 2)


@pytest.mark.parametrize(
    ("loss", "y", "problem"),
    [
        (BCEWithLogits(), [[0.0], [1.5]], InputProblem.LABEL),
        (BCEWithLogits(output_weights=(1.0,)), [[0.0, 1.0]], InputProblem.SHAPE),
        (CrossEntropyWithLogits(), [[0.5, 0.4]], InputProblem.LABEL),
        (CrossEntropyWithLogits(), [[-1.0, 2.0]], InputProblem.LABEL),
    ],
)
def test_loss_rejects_invalid_labels(loss, y, problem):
    with pytest.raises(InputError) as raised:
        loss.targets(np.array(y), np.float32)
    assert raised.value.problem is problem


def test_error_names_the_position_of_the_invalid_label():
    with pytest.raises(InputError, match=r"1\.5 \(row 1, output 0\)"):
        BCEWithLogits().targets(np.array([[0.0], [1.5]]), np.float32)


@pytest.mark.parametrize("weight", [-1.0, 0.0, np.inf])
def test_bce_rejects_weights_that_are_not_positive_and_finite(weight):
    with pytest.raises(ValueError, match=r"^positive_weight must be above 0 and finite"):
        BCEWithLogits(positive_weight=weight)
    with pytest.raises(ValueError, match=r"^output_weights must be above 0 and finite"):
        BCEWithLogits(output_weights=(1.0, weight))


def test_constant_output_is_the_first_with_a_single_class():
    y = np.array([[0.0, 1.0, np.nan], [1.0, 1.0, 0.0]])
    assert BCEWithLogits().constant_output(y) == 1
    assert BCEWithLogits().constant_output(y[:, :1]) is None
    assert CrossEntropyWithLogits().constant_output(encode_classes([1] * 4, 3)) == 1
    assert CrossEntropyWithLogits().constant_output(encode_classes([1, 2], 3)) is None


def test_base_rate_bias_is_the_logit_of_the_share_of_positives():
    y = np.array([[1, 0], [0, 0], [0, np.nan], [0, 1]], np.float32)
    assert BCEWithLogits().predictions(BCEWithLogits().base_rate_bias(y)) == pytest.approx([1 / 4, 1 / 3])
    assert CrossEntropyWithLogits().base_rate_bias(y) is None


def test_encode_classes_returns_indicator_vectors():
    assert encode_classes(np.array([1, 0]), 2).tolist() == [[0.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize("labels", [[0, 2], [-1, 0], [0.5, 0]])
def test_encode_classes_rejects_labels_that_are_no_class(labels):
    with pytest.raises(InputError) as raised:
        encode_classes(np.array(labels), 2)
    assert raised.value.problem is InputProblem.LABEL

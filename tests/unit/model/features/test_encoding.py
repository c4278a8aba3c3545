"""Encoding: choice of inputs, knots and codes."""

import numpy as np
import pytest

from model.features.encoding import ENCODED_INPUTS, KNOTS, Encoding, fit_encoding, mutual_information

pytestmark = pytest.mark.unit


def rows(count=4000, inputs=40):
    """Labels that depend on input 3, and less on input 7."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, inputs)).astype(np.float32)
    x[:, 5] = x[:, 5] > 0
    y = np.stack([x[:, 3] > 1, x[:, 3] + 0.5 * x[:, 7] > 1], axis=1).astype(np.float32)
    y[::7, 1] = np.nan
    return x, y


def test_codes_are_1_below_the_value_fractional_at_it_and_0_above_it():
    low = np.array([0, 1, 2], np.float32)
    encoding = Encoding(np.array([1, 1, 1]), low, low + 1)
    x = np.array([[9, 1.25], [9, -5], [9, 7]], np.float32)
    assert encoding(x).tolist() == [[9, 1.25, 1, 0.25, 0], [9, -5, 0, 0, 0], [9, 7, 1, 1, 1]]


def test_codes_of_a_row_do_not_depend_on_other_rows():
    x, y = rows()
    encoding = fit_encoding(x, y, x[:, 0] < 1, np.arange(40))
    together = encoding(x)
    for row in (0, 2047, 2048, 3999):
        assert encoding(x[row : row + 1]).tobytes() == together[row : row + 1].tobytes()


def test_fit_encoding_chooses_informative_inputs_and_knots_of_calm_rows():
    x, y = rows()
    calm = x[:, 0] < 1
    encoding = fit_encoding(x, y, calm, np.arange(1, 40))
    chosen = list(dict.fromkeys(encoding.inputs.tolist()))
    assert chosen[:2] == [3, 7]
    assert len(chosen) == ENCODED_INPUTS
    assert 0 not in chosen
    of_3 = encoding.inputs == 3
    assert encoding.low[of_3].tolist() == pytest.approx(np.quantile(x[calm, 3], np.linspace(0, 1, KNOTS))[:-1])
    assert np.array_equal(encoding.high[of_3][:-1], encoding.low[of_3][1:])


def test_fit_encoding_merges_equal_knots():
    x, y = rows()
    encoding = fit_encoding(x, y, np.zeros(len(x), bool), np.array([5]))
    assert (encoding.inputs.tolist(), encoding.low.tolist(), encoding.high.tolist()) == ([5], [0.0], [1.0])
    constant = fit_encoding(np.zeros_like(x), y, np.ones(len(x), bool), np.array([5]))
    assert constant(x).shape == x.shape


def test_mutual_information_of_a_copy_is_the_entropy_and_of_noise_is_nearly_0():
    x, _ = rows()
    y = np.stack([x[:, 5], np.full(len(x), np.nan)], axis=1)
    information = mutual_information(x, y)
    p = x[:, 5].mean()
    assert information[5] == pytest.approx(-p * np.log(p) - (1 - p) * np.log(1 - p), rel=1e-6)
    assert np.delete(information, 5).max() < 0.01


@pytest.mark.parametrize(
    "broken",
    [
        Encoding(np.array([0, 4]), np.zeros(2, np.float32), np.ones(2, np.float32)),
        Encoding(np.array([0, 1]), np.zeros(2, np.float32), np.zeros(2, np.float32)),
        Encoding(np.array([0]), np.zeros(2, np.float32), np.ones(2, np.float32)),
    ],
)
def test_check_rejects_positions_and_knots_that_do_not_fit(broken):
    with pytest.raises(ValueError, match="encoding"):
        broken.check(4)

"""Every layer, loss and penalty passes back what central differences say, and a tape repeats it."""

import numpy as np
import pytest

from model.array_types import aligned_zeros
from model.errors import InputError
from model.nn.activations import ACTIVATIONS, LeakyReLU, ReLU
from model.nn.compiled_step import CompiledStep, transposed
from model.nn.diagnostics.gradient_check import check_gradients, numerical_gradient, relative_error
from model.nn.layers import Dropout, Linear
from model.nn.losses import LOSSES, MSE, BCEWithLogits, CrossEntropyWithLogits, Huber, Pinball
from model.nn.network import Network, mlp
from model.nn.numerics import one_hot, sigmoid, softmax, softplus
from model.nn.regularizers import Penalty

pytestmark = pytest.mark.unit

LOSS_CASES = {
    "bce": BCEWithLogits(),
    "bce weighted": BCEWithLogits(positive_weight=3.0),
    "cross_entropy": CrossEntropyWithLogits(),
    "mse": MSE(),
    "huber": Huber(delta=0.4),
    "pinball": Pinball((0.1, 0.5, 0.9)),
}


def labels(loss, rng, rows=9, outputs=3):
    if isinstance(loss, CrossEntropyWithLogits):
        y = one_hot(rng.integers(0, outputs, rows), outputs).astype(float)
    elif isinstance(loss, BCEWithLogits):
        y = rng.integers(0, 2, (rows, outputs)).astype(float)
    else:
        y = rng.normal(size=(rows, outputs))
    y[3, 0] = np.nan
    return y


def test_every_loss_of_the_table_has_a_case():
    assert {type(loss) for loss in LOSS_CASES.values()} == set(LOSSES.values())


@pytest.mark.parametrize("loss", LOSS_CASES.values(), ids=LOSS_CASES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_each_activation_under_each_loss_agrees_with_central_differences(activation, loss):
    rng = np.random.default_rng(1)
    network = mlp((4, 6, 5, 3), rng, activation=activation, dropout=0.3, dtype=np.float64)
    network.flat += rng.normal(scale=0.1, size=network.flat.shape)
    x = rng.normal(size=(9, 4))
    for seed in (None, 5):
        errors = check_gradients(network, loss, x, labels(loss, rng), seed=seed)
        assert set(errors) == {*network.names, "input"}
        assert max(errors.values()) <= 1e-6, errors


@pytest.mark.parametrize("penalty", [Penalty(l1=0.1), Penalty(l2=0.3), Penalty(l1=0.05, l2=0.2)])
def test_penalties_agree_with_central_differences_and_spare_the_biases(penalty):
    rng = np.random.default_rng(2)
    network = mlp((4, 6, 2), rng, activation="tanh", dtype=np.float64)
    x, y = rng.normal(size=(9, 4)), rng.integers(0, 2, (9, 2)).astype(float)
    assert max(check_gradients(network, BCEWithLogits(), x, y, penalty).values()) <= 1e-6
    assert network.weight_count == 4 * 6 + 6 * 2
    assert penalty.value(network.flat[: network.weight_count]) > 0


def test_the_check_finds_a_wrong_derivative():
    class Wrong(LeakyReLU):
        def slope(self, y, run):
            return super().slope(y, run) * 1.001

    rng = np.random.default_rng(3)
    network = mlp((3, 4, 1), rng, dtype=np.float64)
    network = Network([network.layers[0], Wrong(), network.layers[2]])
    errors = check_gradients(network, MSE(), rng.normal(size=(5, 3)), rng.normal(size=(5, 1)))
    assert errors["0.weight"] > 1e-4
    assert errors["2.weight"] < 1e-6


def test_the_check_refuses_single_precision_where_differences_mean_nothing():
    network = mlp((2, 1), np.random.default_rng(0))
    with pytest.raises(ValueError, match="float64"):
        check_gradients(network, MSE(), np.zeros((1, 2)), np.zeros((1, 1)))


def test_the_numerical_gradient_restores_what_it_moved():
    p = np.array([[1.0, -2.0]])
    found = numerical_gradient(lambda: float((p**3).sum()), p)
    assert found == pytest.approx(np.array([[3.0, 12.0]]))
    assert p.tolist() == [[1.0, -2.0]]
    assert relative_error(np.zeros(2), np.zeros(2)) == 0.0


@pytest.mark.parametrize("loss", LOSS_CASES.values(), ids=LOSS_CASES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_tape_repeats_a_step_bit_for_bit_on_other_data(activation, loss):
    rng = np.random.default_rng(4)
    network = mlp((4, 6, 5, 3), rng, activation=activation, dropout=0.3)
    first, x = (rng.normal(size=(9, 4)).astype(np.float32) for _ in "ab")
    y = labels(loss, rng)
    targets = loss.targets(y, np.float32)
    buffer, tape, into = first.copy(), CompiledStep(), network.views(np.empty_like(network.flat))
    draws = np.random.default_rng(6)
    z, caches = network.forward(buffer, draws, tape, overwrite=True)
    network.backward(loss.gradient(z, targets, tape), caches, tape, into)
    state = draws.bit_generator.state
    assert np.array_equal(buffer, first), "the inputs belong to the caller"
    buffer[...] = x
    tape.replay()
    draws = np.random.default_rng()
    draws.bit_generator.state = state
    expected, caches = network.forward(x, draws)
    gradients = network.backward(loss(expected, y)[1], caches)
    assert np.array_equal(z, expected)
    assert all(np.array_equal(into[name], gradients[name]) for name in network.names)


@pytest.mark.parametrize("loss", LOSS_CASES.values(), ids=LOSS_CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_and_their_slopes_are_finite_at_a_thousand(loss, dtype):
    z = np.array([[1000.0, -1000.0, 0.0], [-1000.0, 1000.0, 1000.0]], dtype)
    y = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], dtype)
    value, slope = loss(z, y)
    assert np.isfinite(value)
    assert np.isfinite(slope).all()
    assert slope.dtype == dtype
    assert np.isfinite(loss.output(z)).all()


def test_cross_entropy_of_a_thousand_apart_by_hand():
    z, y = np.array([[1000.0, 0.0]]), np.array([[0.0, 1.0]])
    value, slope = CrossEntropyWithLogits()(z, y)
    assert value == 1000.0
    assert slope.tolist() == [[1.0, -1.0]]


def test_huber_and_pinball_by_hand():
    z, y = np.array([[0.5, 3.0]]), np.zeros((1, 2))
    assert Huber()(z, y)[0] == pytest.approx((0.125 + 2.5) / 2)
    assert Huber()(z, y)[1].tolist() == [[0.25, 0.5]]
    # too high at the 90 % quantile costs a tenth, too low nine tenths
    assert Pinball((0.9,))(np.array([[2.0]]), np.array([[1.0]]))[0] == pytest.approx(0.1)
    assert Pinball((0.9,))(np.array([[1.0]]), np.array([[2.0]]))[0] == pytest.approx(0.9)


def test_class_weight_counts_the_rare_label_more_often():
    z, y = np.array([[0.3], [-0.2], [1.0]]), np.array([[1.0], [0.0], [0.0]])
    thrice, _ = BCEWithLogits()(z[[0, 0, 0, 1, 2]], y[[0, 0, 0, 1, 2]])
    weighted, _ = BCEWithLogits(positive_weight=3.0)(z, y)
    assert weighted * 3 == pytest.approx(thrice * 5)


def test_an_unknown_label_passes_no_gradient_and_does_not_count_in_any_loss():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(9, 3))
    for loss in LOSS_CASES.values():
        y = labels(loss, rng)
        value, slope = loss(z, y)
        assert slope[3, 0] == 0
        if loss.per_row:
            keep = np.arange(9) != 3
            assert value == pytest.approx(loss(z[keep], y[keep])[0])


@pytest.mark.parametrize(
    ("loss", "y", "words"),
    [
        (BCEWithLogits(), [[0.0], [1.5]], r"label 1\.5 \(row 1, output 0\) is neither 0 nor 1"),
        (CrossEntropyWithLogits(), [[0.5, 0.4]], "add up to 1"),
        (CrossEntropyWithLogits(), [[-1.0, 2.0]], "outside 0 and 1"),
        (MSE(), [[np.inf]], "not finite"),
    ],
)
def test_labels_that_a_loss_does_not_know_are_named(loss, y, words):
    with pytest.raises(InputError, match=words):
        loss.targets(np.array(y), np.float32)


def test_one_hot_names_the_label_that_is_no_class():
    assert one_hot(np.array([1, 0]), 2).tolist() == [[0.0, 1.0], [1.0, 0.0]]
    for wrong in ([0, 2], [-1, 0], [0.5, 0]):
        with pytest.raises(InputError, match="classes 0 to 1"):
            one_hot(np.array(wrong), 2)


def test_sigmoid_softmax_and_softplus_are_right_far_out_and_keep_their_dtype():
    z = np.array([[-1000.0, -20.0, 0.0, 20.0, 1000.0]], np.float32)
    assert sigmoid(z)[0].tolist() == pytest.approx([0.0, 2.0611536e-09, 0.5, 1.0, 1.0])
    assert softmax(np.array([[1000.0, 0.0]])).tolist() == [[1.0, 0.0]]
    assert softmax(z).dtype == sigmoid(z).dtype == softplus(z).dtype == np.float32
    many = np.tile(z, (1, 40))
    assert np.allclose(softplus(many)[:, :5], softplus(z), rtol=1e-6)
    assert softplus(z)[0, 0] == 0
    assert softplus(z)[0, -1] == 1000


def test_a_layer_that_does_not_fit_is_named():
    network = Network([Linear(np.zeros((3, 4)), np.zeros(4)), Dropout(0.5), Linear(np.zeros((5, 1)), np.zeros(1))])
    with pytest.raises(ValueError, match="layer 2 takes 5 inputs and is given 4"):
        network.layer_widths(3)
    with pytest.raises(ValueError, match="biases"):
        Network([Linear(np.zeros((3, 4)), np.zeros(3))]).layer_widths(3)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Dropout(1.0),
        lambda: LeakyReLU(1.5),
        lambda: Huber(0.0),
        lambda: Pinball((0.5, 1.0)),
        lambda: BCEWithLogits(positive_weight=-1.0),
        lambda: mlp((2, 3, 1), np.random.default_rng(0), activation="swish"),
        lambda: mlp((2, 3, 1), np.random.default_rng(0), initializer="magic"),
    ],
)
def test_settings_that_make_no_layer_loss_or_network_are_refused(make):
    with pytest.raises(ValueError, match=r"unknown|not"):
        make()


def test_layers_without_parameters_may_stand_anywhere():
    rng = np.random.default_rng(7)
    linear = [Linear(rng.normal(size=(4, 4)), rng.normal(size=4)) for _ in "ab"]
    tanh, leaky = ACTIVATIONS["tanh"](), LeakyReLU()
    network = Network([Dropout(0.2), tanh, leaky, linear[0], tanh, leaky, Dropout(0.2), linear[1], tanh])
    x, y = rng.normal(size=(9, 4)), rng.normal(size=(9, 4))
    assert max(check_gradients(network, MSE(), x, y, seed=1).values()) <= 1e-6
    tape, into = CompiledStep(), network.views(np.empty_like(network.flat))
    kept = x.copy()
    z, caches = network.forward(x, np.random.default_rng(1), tape, overwrite=True)
    network.backward(MSE().gradient(z, MSE().targets(y, x.dtype), tape), caches, tape, into)
    expected, caches = network.forward(x, np.random.default_rng(1))
    gradients = network.backward(MSE()(expected, y)[1], caches)
    assert np.array_equal(x, kept)
    assert np.array_equal(z, expected)
    assert all(np.array_equal(into[name], gradients[name]) for name in network.names)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, bool, np.float16])
def test_labels_of_any_type_are_the_same_labels(dtype):
    z, y = np.array([[2.0], [-1.0]]), np.array([[0], [1]])
    expected, expected_slope = BCEWithLogits()(z, y.astype(float))
    value, slope = BCEWithLogits()(z, y.astype(dtype))
    assert value == expected
    assert np.array_equal(slope, expected_slope)


def test_outputs_and_labels_of_two_shapes_are_refused():
    for y in (np.zeros(4), np.zeros((1, 1)), np.zeros((4, 2))):
        with pytest.raises(InputError, match="of one shape"):
            MSE()(np.zeros((4, 1)), y)
    with pytest.raises(InputError, match="1 outputs, the loss 3 quantiles"):
        Pinball((0.1, 0.5, 0.9))(np.zeros((4, 1)), np.zeros((4, 1)))


@pytest.mark.parametrize(
    "layers",
    [
        lambda linear, tanh, sigmoid: [Dropout(0.0), tanh, linear],
        lambda linear, tanh, sigmoid: [linear, tanh, Dropout(0.0), sigmoid, linear],
        lambda linear, tanh, sigmoid: [Dropout(0.0), Dropout(0.0), sigmoid, Dropout(0.0), linear, Dropout(0.0), tanh],
    ],
)
def test_a_dropout_of_nothing_hands_on_memory_without_freeing_it(layers):
    rng = np.random.default_rng(0)
    linear = Linear(rng.normal(size=(4, 4)), rng.normal(size=4))
    network = Network(layers(linear, ACTIVATIONS["tanh"](), ACTIVATIONS["sigmoid"]()))
    x, y = rng.normal(size=(6, 4)), rng.normal(size=(6, 4))
    kept, into = x.copy(), network.views(np.empty_like(network.flat))
    z, caches = network.forward(x, np.random.default_rng(1), CompiledStep(), overwrite=True)
    network.backward(MSE()(z, y)[1], caches, CompiledStep(), into)
    expected, caches = network.forward(kept, np.random.default_rng(1))
    gradients = network.backward(MSE()(expected, y)[1], caches)
    assert np.array_equal(x, kept)
    assert all(np.array_equal(into[name], gradients[name]) for name in network.names)


def test_a_transposed_copy_is_one_also_where_the_memory_would_do():
    for shape in ((3, 1), (1, 3), (2, 3)):
        a = np.arange(np.prod(shape), dtype=float).reshape(shape)
        found = transposed(a)
        assert np.array_equal(found, a.T)
        assert not np.shares_memory(found, a)
        assert transposed(a, found) is found


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_relu_passes_the_gradient_where_its_output_is_above_zero(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    y = np.array([[0.0, tiny, 3.0, np.inf, 1e30]], dtype)
    grad = np.array([[-2.0, -5.0, 1e-30, np.nan, np.inf]], dtype)
    passed, _ = ReLU().backward(grad, y)
    assert passed.dtype == dtype
    assert np.array_equal(passed, np.array([[0.0, -5.0, 1e-30, np.nan, np.inf]], dtype), equal_nan=True)
    assert np.array_equal(grad[0, :3], np.array([-2.0, -5.0, 1e-30], dtype))
    every_other, _ = ReLU().backward(np.repeat(grad, 2, axis=1)[:, ::2], y)
    assert np.array_equal(every_other, passed, equal_nan=True)


def test_the_vectors_of_a_training_begin_on_cache_lines():
    for size in (1, 17, 5000):
        zeros = aligned_zeros(size, np.float32)
        assert zeros.shape == (size,)
        assert zeros.dtype == np.float32
        assert not zeros.any()
        assert zeros.ctypes.data % 64 == 0
    assert mlp((3, 4, 1), np.random.default_rng(0)).flat.ctypes.data % 64 == 0

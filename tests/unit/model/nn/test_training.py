"""Tests of `model.nn.training`."""

from dataclasses import replace

import numpy as np
import pytest

from model.errors import InputError, InputProblem
from model.nn.activations import ReLU
from model.nn.data import Examples
from model.nn.diagnostics.gradient_health import GradientState, IssueKind
from model.nn.fit_config import FitConfig
from model.nn.layers import Layer
from model.nn.losses import MSE, BCEWithLogits
from model.nn.network import Network, mlp
from model.nn.optimizers import SGD, AdamW
from model.nn.training import Training, fit
from tests.unit.model.nn.cases import CONFIG, issue_kinds, new_training, xor_examples

pytestmark = pytest.mark.unit


def random_examples(rows, inputs):
    """Return training and validation examples without any relation between inputs and labels."""
    rng = np.random.default_rng(0)
    return [
        Examples(rng.normal(size=(rows, inputs)).astype(np.float32), rng.integers(0, 2, (rows, 1)).astype(np.float32))
        for _ in range(2)
    ]


def test_fit_learns_a_problem_that_is_not_linearly_separable():
    train, validation = xor_examples()
    rng = np.random.default_rng(1)
    network = mlp((2, 16, 1), rng)
    report = fit(network, BCEWithLogits(), train, validation, CONFIG, rng)
    correct = (network.predict(validation.x) > 0) == (validation.y == 1)
    assert correct.mean() > 0.95
    assert report.health.state is GradientState.HEALTHY


def test_weights_are_bit_identical_for_equal_seeds_only():
    weights = []
    for seed in (4, 4, 5):
        training = new_training(*xor_examples(), seed=seed)
        training.run()
        weights.append(training.network.flat.tobytes())
    assert weights[0] == weights[1] != weights[2]


@pytest.mark.parametrize(
    "convert", [np.asfortranarray, lambda a: a.astype(np.float64), lambda a: a.repeat(2, 0)[::2], list]
)
def test_memory_layout_and_type_of_the_examples_do_not_change_the_result(convert):
    train, validation = xor_examples(60)
    weights = []
    for examples in (train, Examples(convert(train.x), convert(train.y))):
        training = new_training(examples, validation)
        training.run()
        weights.append(training.network.flat)
    assert np.array_equal(*weights)


def test_full_batch_step_matches_the_formula():
    train, _ = xor_examples(40)
    config = FitConfig(optimizer=SGD(), schedule="constant", learning_rate=0.5, epochs=1, gradient_clip=0, l2=0.1)
    training = new_training(train, None, config, dtype=np.float64)
    network = training.network
    z, caches = network.forward(train.x.astype(float))
    _, gradients = network.backward(BCEWithLogits()(z, train.y)[1], caches)
    expected = {
        name: value - 0.5 * (gradients[name] + (0.1 * value if name.endswith("weight") else 0))
        for name, value in network.parameters().items()
    }
    training.run()
    for name, value in network.parameters().items():
        assert value == pytest.approx(expected[name], rel=1e-12)


def test_gradient_of_a_batch_ignores_unknown_labels():
    train, _ = xor_examples(100)
    rows = np.arange(50)
    y = np.hstack([train.y, np.where(rows[:, None] % 3 == 0, np.nan, train.y)])
    config = replace(CONFIG, epochs=2, batch_size=16)
    training = new_training(Examples(train.x, y), None, config, sizes=(2, 4, 2))
    initial = mlp((2, 4, 2), np.random.default_rng(0))
    gradients = []
    training._optimizer.update = lambda weights, grad, rate: gradients.append(grad.copy()) or np.zeros_like(grad)
    generator = np.random.default_rng()
    generator.bit_generator.state = training.rng.bit_generator.state
    training.run()
    order = generator.permutation(50)[:16]
    z, caches = initial.forward(train.x[order])
    _, expected = initial.backward(BCEWithLogits()(z, y[order])[1], caches)
    for name, view in initial.views(gradients[0]).items():
        assert view == pytest.approx(expected[name], rel=1e-5, abs=1e-7)


def test_penalties_shrink_the_weights_and_l1_makes_them_sparse():
    train, validation = xor_examples()
    sizes = {}
    for name, penalty in {"none": {}, "l1": {"l1": 0.02}, "l2": {"l2": 0.05}}.items():
        config = replace(CONFIG, optimizer="adam", weight_decay=0, patience=0, epochs=40, **penalty)
        training = new_training(train, validation, config, sizes=(2, 16, 1))
        training.run()
        sizes[name] = np.abs(training.network.flat[: training.network.weight_count])
    assert sizes["l2"].sum() < 0.7 * sizes["none"].sum()
    assert np.mean(sizes["l1"] < 0.01) > 0.3 > np.mean(sizes["none"] < 0.01)


def test_clipping_by_value_bounds_each_element_and_is_counted():
    train, _ = xor_examples()
    config = replace(
        CONFIG,
        optimizer=SGD(),
        schedule="constant",
        learning_rate=1.0,
        epochs=1,
        batch_size=10**6,
        gradient_clip=0,
        gradient_clip_value=1e-4,
    )
    training = new_training(train, None, config)
    before = training.network.flat.copy()
    report = training.run()
    assert np.abs(training.network.flat - before).max() == pytest.approx(1e-4, rel=1e-3)
    assert report.health.clipped_steps == 1
    assert IssueKind.CLIPPED_STEPS in issue_kinds(report)


def test_clipping_by_norm_is_counted_per_step():
    train, validation = xor_examples()
    report = new_training(train, validation, replace(CONFIG, gradient_clip=1e-3, epochs=2)).run()
    assert report.health.clipped_steps == report.health.steps == 2 * -(-len(train.x) // 16)


def test_reported_gradient_norms_add_up_to_the_norm_of_the_epoch():
    train, validation = xor_examples(8)
    report = new_training(train, validation, replace(CONFIG, epochs=1, batch_size=100), sizes=(2, 1)).run()
    total = np.sqrt(sum(parameter.norm**2 for parameter in report.health.parameters))
    assert total == pytest.approx(report.epochs[0].gradient_norm, rel=1e-5)
    assert all(parameter.update_ratio > 0 for parameter in report.health.parameters)


def test_early_stopping_keeps_the_best_epoch():
    train, validation = random_examples(80, 20)
    training = new_training(train, validation, replace(CONFIG, epochs=200, patience=3), sizes=(20, 16, 1))
    report = training.run()
    losses = [epoch.validation_loss for epoch in report.epochs]
    assert len(losses) == report.kept_epoch + 3 < 200
    assert min(losses) == report.kept.validation_loss
    value, _ = BCEWithLogits()(training.network.predict(validation.x), validation.y)
    assert value == pytest.approx(report.kept.validation_loss, rel=1e-6)


def test_early_stopping_is_independent_of_the_kept_parameters():
    train, validation = random_examples(80, 20)
    config = replace(CONFIG, epochs=200, patience=3)
    reports = {}
    for keep_best in (True, False):
        training = new_training(train, validation, replace(config, keep_best=keep_best), sizes=(20, 16, 1))
        reports[keep_best] = training.run()
        value, _ = BCEWithLogits()(training.network.predict(validation.x), validation.y)
        assert value == pytest.approx(reports[keep_best].kept.validation_loss, rel=1e-6)
    assert reports[False].epochs == reports[True].epochs
    assert len(reports[False].epochs) < 200
    assert reports[False].kept_epoch == len(reports[False].epochs) == reports[True].kept_epoch + 3


def test_patience_has_no_effect_without_validation_examples():
    train, _ = random_examples(80, 20)
    config = replace(CONFIG, epochs=12, patience=1, learning_rate=1e-30)
    report = new_training(train, None, config, sizes=(20, 16, 1)).run()
    assert report.kept_epoch == len(report.epochs) == 12


def test_patience_of_0_trains_all_epochs_and_keeps_the_best():
    config = replace(CONFIG, epochs=60, patience=0, learning_rate=0.1, schedule="constant")
    report = new_training(*xor_examples(60), config).run()
    assert len(report.epochs) == 60 > report.kept_epoch
    assert report.kept.validation_loss == min(epoch.validation_loss for epoch in report.epochs)


@pytest.mark.parametrize("use_validation", [True, False])
def test_last_epoch_is_kept_without_validation_or_with_keep_best_off(use_validation):
    train, validation = xor_examples()
    config = replace(CONFIG, epochs=7, patience=0, keep_best=not use_validation)
    report = new_training(train, validation if use_validation else None, config).run()
    assert report.kept_epoch == len(report.epochs) == 7
    assert all(np.isnan(epoch.validation_loss) != use_validation for epoch in report.epochs)


@pytest.mark.parametrize(
    ("limits", "state"),
    [
        ({"vanishing_gradient": 1e9}, GradientState.VANISHING),
        ({"exploding_gradient": 1e-9}, GradientState.EXPLODING),
    ],
)
def test_gradient_state_follows_the_configured_limits(limits, state):
    report = new_training(*xor_examples(), replace(CONFIG, epochs=1, **limits)).run()
    assert report.health.state is state


class Scale(Layer):
    """Layer y = s x with a parameter that is not named "weight"."""

    def __init__(self, scale):
        self.scale = scale

    def parameters(self):
        return {"scale": self.scale}

    def with_parameters(self, parameters):
        return Scale(**parameters)

    def apply(self, x):
        return x * self.scale

    def compute_output(self, x, rng, ops, out):
        return ops(np.multiply, x, self.scale), x

    def compute_parameter_gradients(self, output_gradient, cache, gradients, ops):
        product = ops(np.multiply, output_gradient, cache)
        ops(product.sum, 0, None, out=gradients["scale"])

    def compute_input_gradient(self, output_gradient, cache, ops, out):
        return ops(np.multiply, output_gradient, self.scale)

    def rescale_multipliers(self, multipliers, x, reference):
        return multipliers * self.scale


def test_network_without_weights_is_trained_without_decay():
    x = np.random.default_rng(0).normal(size=(40, 2))
    network = Network([Scale(np.array([1.0, 1.0]))])
    config = FitConfig(AdamW(weight_decay=0.5), 0.05, "constant", epochs=400, batch_size=40, l2=10.0)
    report = fit(network, MSE(), Examples(x, x * [2.0, -3.0]), None, config, np.random.default_rng(0))
    assert network.weight_count == 0
    assert network.flat == pytest.approx(np.array([2.0, -3.0]), abs=1e-3)
    assert report.health.state is GradientState.HEALTHY


def test_loss_that_does_not_fall_is_reported():
    config = replace(CONFIG, optimizer="sgd", learning_rate=1e-30, epochs=20, patience=0)
    assert IssueKind.STALLED_LOSS in issue_kinds(new_training(*xor_examples(), config).run())
    assert IssueKind.STALLED_LOSS not in issue_kinds(new_training(*xor_examples()).run())


def test_single_batch_training_does_not_count_as_stalled():
    train, _ = xor_examples(40)
    report = new_training(train, None, replace(CONFIG, epochs=19, batch_size=100)).run()
    assert IssueKind.STALLED_LOSS not in issue_kinds(report)


def test_training_with_loss_near_zero_is_healthy():
    x = np.random.default_rng(0).normal(size=(40, 2))
    config = FitConfig(SGD(0.9), 0.05, "constant", epochs=600, batch_size=40, patience=0)
    examples = Examples(x, x @ [[1.0], [2.0]])
    report = new_training(examples, None, config, loss=MSE(), sizes=(2, 1), dtype=np.float64).run()
    assert report.kept.train_loss < 1e-20
    assert report.health.state is GradientState.HEALTHY


def test_invalid_settings_and_networks_without_parameters_are_rejected():
    train, _ = xor_examples(40)
    with pytest.raises(InputError) as raised:
        new_training(train, None, replace(CONFIG, epochs=0))
    assert raised.value.problem is InputProblem.SETTING
    with pytest.raises(InputError) as raised:
        Training(Network([ReLU()]), MSE(), train, None, CONFIG, np.random.default_rng(0))
    assert raised.value.problem is InputProblem.SHAPE

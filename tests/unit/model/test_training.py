"""A fit learns what can be learned, stops when it should, and says what it saw."""

from dataclasses import replace

import numpy as np
import pytest

from model.errors import DivergedError, InputError
from model.nn.activations import ReLU, Sigmoid
from model.nn.diagnostics.gradient_health import activation_health
from model.nn.fit_config import FitConfig
from model.nn.layers import Linear
from model.nn.losses import MSE, BCEWithLogits, CrossEntropyWithLogits
from model.nn.network import Network, mlp
from model.nn.numerics import one_hot
from model.nn.optimizers import OPTIMIZERS, SGD, Adam, AdamW
from model.nn.schedules import SCHEDULES, Exponential, ReduceOnPlateau, StepDecay, WarmUp
from model.nn.serialization import dump_checkpoint, load_checkpoint
from model.nn.training import Checkpoint, Examples, Training, initialize_output_bias
from model.nn.training import fit as fit_network

pytestmark = pytest.mark.unit

CONFIG = FitConfig(epochs=30, batch_size=16, learning_rate=0.01)


def fit(train, validation, config, rng, *observer, layers=(16,), **shape):
    network = mlp((train.x.shape[-1], *layers, train.y.shape[-1]), rng, **shape)
    return network, fit_network(network, BCEWithLogits(), train, validation, config, rng, *observer)


def xor_parts(n=1200):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 2)).astype(np.float32)
    y = ((x[:, 0] > 0) ^ (x[:, 1] > 0)).astype(np.float32)[:, None]
    return Examples(x[: n // 2], y[: n // 2]), Examples(x[n // 2 :], y[n // 2 :])


def test_it_learns_what_no_line_separates():
    train, validation = xor_parts()
    network, report = fit(train, validation, CONFIG, np.random.default_rng(1))
    right = (network.predict(validation.x) > 0) == (validation.y == 1)
    assert right.mean() > 0.95
    assert report.health.state == "healthy"


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not():
    flats = [fit(*xor_parts(), CONFIG, np.random.default_rng(seed))[0].flat.tobytes() for seed in (4, 4, 5)]
    assert flats[0] == flats[1] != flats[2]


def test_it_keeps_the_best_epoch_and_stops_when_later_ones_do_not_help():
    rng = np.random.default_rng(0)
    noise = [
        Examples(rng.normal(size=(80, 20)).astype(np.float32), rng.integers(0, 2, (80, 1)).astype(np.float32))
        for _ in "tv"
    ]
    network, report = fit(*noise, replace(CONFIG, epochs=200, patience=3), np.random.default_rng(1))
    losses = [epoch.validation_loss for epoch in report.epochs]
    assert len(losses) == report.kept_epoch + 3 < 200
    assert min(losses) == report.best.validation_loss
    z = network.predict(noise[1].x)
    kept = np.mean(np.maximum(z, 0) - z * noise[1].y + np.log1p(np.exp(-np.abs(z))))
    assert kept == pytest.approx(report.best.validation_loss, rel=1e-5)


def test_an_absurd_learning_rate_is_stopped_and_named():
    with pytest.raises(DivergedError, match=r"training\.learning_rate"), np.errstate(all="ignore"):
        fit(
            *xor_parts(),
            replace(CONFIG, learning_rate=1e4, schedule="constant", gradient_clip=0),
            np.random.default_rng(0),
        )


def test_health_counts_clipped_steps_and_names_every_parameter():
    train, validation = xor_parts()
    _, report = fit(train, validation, replace(CONFIG, gradient_clip=1e-3, epochs=2), np.random.default_rng(0))
    health = report.health
    assert health.clipped_steps == health.steps == 2 * -(-len(train.x) // 16)
    assert [p.name for p in health.parameters] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert all(0 < p.norm <= p.norm_max and p.update_ratio > 0 for p in health.parameters)


@pytest.mark.parametrize(
    ("limits", "state"),
    [({"vanishing_gradient": 1e9}, "vanishing"), ({"exploding_gradient": 1e-9}, "exploding")],
)
def test_the_verdict_follows_the_configured_limits(limits, state):
    _, report = fit(*xor_parts(), replace(CONFIG, epochs=1, **limits), np.random.default_rng(0))
    assert report.health.state == state
    assert any("gradient of" in sentence for sentence in report.health.advice)


def test_recorded_norms_are_those_of_the_gradient():
    train, validation = xor_parts(8)
    config = replace(CONFIG, epochs=1, batch_size=100)
    _, report = fit(train, validation, config, np.random.default_rng(0), layers=())
    epoch = report.epochs[0]
    total = np.sqrt(sum(p.norm**2 for p in report.health.parameters))
    assert total == pytest.approx(epoch.gradient_norm, rel=1e-5)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda p: Examples(np.where(p.x > 2, np.inf, p.x), p.y), r"training input inf \(row \d+, column \d\)"),
        (lambda p: Examples(np.where(p.x > 2, np.nan, p.x), p.y), "training input nan"),
        (lambda p: Examples(p.x, p.y * 2), "training label 2 .* neither 0 nor 1"),
        (lambda p: Examples(p.x, np.zeros_like(p.y)), "only one class in output 0"),
        (lambda p: Examples(p.x[:-1], p.y), "same rows"),
        (lambda p: Examples(p.x[:0], p.y[:0]), "same rows"),
        (lambda p: Examples(p.x[:, 0], p.y), "two tables"),
        (lambda p: Examples(p.x[:, :1], p.y), "layer 0 takes 2 inputs and is given 1"),
        (lambda p: Examples(p.x, np.hstack([p.y, p.y])), "do not fit the network's 1 outputs"),
    ],
)
def test_data_that_cannot_be_learned_from_is_refused_before_a_step(spoil, words):
    train, validation = xor_parts()
    network = mlp((2, 4, 1), np.random.default_rng(0))
    before = network.flat.copy()
    with pytest.raises(InputError, match=words):
        fit_network(network, BCEWithLogits(), spoil(train), validation, CONFIG, np.random.default_rng(0))
    assert np.array_equal(network.flat, before)


def test_validation_data_is_checked_by_name_but_may_hold_one_class():
    train, validation = xor_parts()
    with pytest.raises(InputError, match="validation input inf"):
        fit(train, Examples(validation.x + np.inf, validation.y), CONFIG, np.random.default_rng(0))
    calm = Examples(validation.x, np.zeros_like(validation.y))
    fit(train, calm, replace(CONFIG, epochs=1), np.random.default_rng(0))


def test_classes_of_which_only_one_occurs_are_refused():
    x = np.zeros((4, 2), np.float32)
    network = mlp((2, 3), np.random.default_rng(0))
    with pytest.raises(InputError, match="only one class in output 1"):
        fit_network(
            network,
            CrossEntropyWithLogits(),
            Examples(x, one_hot([1] * 4, 3)),
            None,
            CONFIG,
            np.random.default_rng(0),
        )


def test_an_error_from_the_observer_ends_the_training():
    def stop(epoch):
        raise TimeoutError

    with pytest.raises(TimeoutError):
        fit(*xor_parts(), CONFIG, np.random.default_rng(0), stop)


def test_a_divergence_leaves_the_network_with_finite_weights():
    train, validation = xor_parts()
    network = mlp((2, 16, 1), np.random.default_rng(0))
    config = replace(CONFIG, optimizer=SGD(), learning_rate=1e8, schedule="constant", gradient_clip=0, patience=0)
    with pytest.raises(DivergedError, match=r"training\.learning_rate"):
        fit_network(network, MSE(), train, validation, config, np.random.default_rng(0))
    assert np.isfinite(network.flat).all()


def test_without_validation_the_last_epoch_is_kept_and_no_loss_is_invented():
    train, _ = xor_parts()
    _, report = fit(train, None, replace(CONFIG, epochs=7, patience=2), np.random.default_rng(0))
    assert report.kept_epoch == len(report.epochs) == 7
    assert all(np.isnan(epoch.validation_loss) for epoch in report.epochs)


def test_patience_of_zero_goes_on_to_the_end_and_still_keeps_the_best():
    train, validation = xor_parts(60)
    config = replace(CONFIG, epochs=60, patience=0, learning_rate=0.1, schedule="constant")
    _, report = fit(train, validation, config, np.random.default_rng(0))
    assert len(report.epochs) == 60 > report.kept_epoch
    assert report.best.validation_loss == min(epoch.validation_loss for epoch in report.epochs)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_resumed_training_equals_the_uninterrupted_one_bit_for_bit(optimizer, schedule):
    train, validation = xor_parts(300)
    config = replace(CONFIG, optimizer=optimizer, schedule=schedule, epochs=9, l2=1e-4, patience=0)

    def training(seed):
        rng = np.random.default_rng(seed)
        network = mlp((2, 8, 1), rng, dropout=0.2)
        return network, Training(network, BCEWithLogits(), train, validation, config, rng)

    whole, uninterrupted = training(3)
    expected = uninterrupted.run()
    _, interrupted = training(3)
    saved = []

    def leave(epoch):
        if epoch.number == 4:
            saved.append(dump_checkpoint(interrupted.checkpoint()))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted.run(leave)
    # another process: another start and another order, both replaced by the checkpoint's
    network, resumed = training(99)
    resumed.resume(load_checkpoint(saved[0]))
    report = resumed.run()
    assert network.flat.tobytes() == whole.flat.tobytes()
    assert report == expected


def test_a_checkpoint_of_another_network_or_optimizer_is_refused():
    train, validation = xor_parts(100)

    def training(units, optimizer):
        network = mlp((2, units, 1), np.random.default_rng(0))
        config = replace(CONFIG, optimizer=optimizer, epochs=1)
        return Training(network, BCEWithLogits(), train, validation, config, np.random.default_rng(0))

    first = training(8, "adam")
    first.run()
    checkpoint = first.checkpoint()
    with pytest.raises(InputError, match=r"checkpoint: weights has \d+ numbers of float32, the network"):
        training(9, "adam").resume(checkpoint)
    with pytest.raises(InputError, match=r"checkpoint: optimizer was Adam\(.*, and is SGD\("):
        training(8, "sgd").resume(checkpoint)
    with pytest.raises(InputError, match="checkpoint: not one"):
        training(8, "adam").resume(Checkpoint(checkpoint.arrays, {}))


def test_penalties_pull_the_weights_together_and_l1_to_zero():
    train, validation = xor_parts()
    sizes = {}
    for name, penalty in {"none": {}, "l1": {"l1": 0.02}, "l2": {"l2": 0.05}}.items():
        config = replace(CONFIG, optimizer="adam", weight_decay=0, patience=0, epochs=40, **penalty)
        network, _ = fit(train, validation, config, np.random.default_rng(0))
        sizes[name] = np.abs(network.flat[: network.weight_count])
    assert sizes["l2"].sum() < 0.7 * sizes["none"].sum()
    assert np.mean(sizes["l1"] < 0.01) > 0.3 > np.mean(sizes["none"] < 0.01)


def test_an_optimizer_made_by_hand_is_copied_and_spares_the_biases():
    train, validation = xor_parts()
    mine = AdamW(weight_decay=0.1)
    fit(train, validation, replace(CONFIG, optimizer=mine, epochs=1), np.random.default_rng(0))
    assert mine == AdamW(weight_decay=0.1)
    network = mlp((2, 4, 1), np.random.default_rng(0))
    training = Training(
        network, BCEWithLogits(), train, None, replace(CONFIG, optimizer=mine), np.random.default_rng(0)
    )
    assert training._optimizer.decayed == network.weight_count


def test_clipping_by_value_bounds_every_element_and_is_counted():
    train, _ = xor_parts()
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
    rng = np.random.default_rng(0)
    network = mlp((2, 16, 1), rng)
    before = network.flat.copy()
    report = fit_network(network, BCEWithLogits(), train, None, config, rng)
    assert np.abs(network.flat - before).max() == pytest.approx(1e-4, rel=1e-3)
    assert report.health.clipped_steps == 1
    assert any("100% of steps clipped" in sentence for sentence in report.health.advice)


def test_one_epoch_of_one_batch_is_the_step_of_the_formula():
    train, _ = xor_parts(40)
    config = FitConfig(optimizer=SGD(), schedule="constant", learning_rate=0.5, epochs=1, gradient_clip=0, l2=0.1)
    network = mlp((2, 5, 1), np.random.default_rng(0), dtype=np.float64)
    start = network.parameters()
    z, caches = network.forward(train.x.astype(float))
    gradients = network.backward(BCEWithLogits()(z, train.y)[1], caches)
    expected = {
        name: value - 0.5 * (gradients[name] + (0.1 * value if name.endswith("weight") else 0))
        for name, value in start.items()
    }
    fit_network(network, BCEWithLogits(), train, None, config, np.random.default_rng(0))
    for name, value in network.parameters().items():
        assert value == pytest.approx(expected[name], rel=1e-12)


def test_unknown_labels_change_nothing_in_any_batch():
    train, validation = xor_parts(100)
    rows = np.arange(50)
    y = np.hstack([train.y, np.where(rows[:, None] % 3 == 0, np.nan, train.y)])
    config = replace(CONFIG, epochs=2, batch_size=16)
    network = mlp((2, 4, 2), np.random.default_rng(0))
    both = Examples(validation.x, np.hstack([validation.y, validation.y]))
    report = fit_network(network, BCEWithLogits(), Examples(train.x, y), both, config, np.random.default_rng(0))
    assert np.isfinite(report.epochs[-1].train_loss)
    order = np.random.default_rng(0).permutation(50)[:16]
    fresh = mlp((2, 4, 2), np.random.default_rng(0))
    z, caches = fresh.forward(train.x[order])
    gradients = fresh.backward(BCEWithLogits()(z, y[order])[1], caches)
    seen = []
    again = mlp((2, 4, 2), np.random.default_rng(0))
    training = Training(again, BCEWithLogits(), Examples(train.x, y), None, config, np.random.default_rng(0))
    training._optimizer.update = lambda weights, grad, rate: seen.append(grad.copy()) or np.zeros_like(grad)
    training.run()
    for name, view in again.views(seen[0]).items():
        assert view == pytest.approx(gradients[name], rel=1e-5, abs=1e-7)


def test_the_start_says_how_often_each_label_occurs():
    y = np.array([[1, 0], [0, 0], [0, np.nan], [0, 1]], np.float32)
    network = Network([Linear(np.zeros((2, 2), np.float32), np.zeros(2, np.float32))])
    initialize_output_bias(network, BCEWithLogits(), y)
    assert BCEWithLogits().output(network.predict(np.zeros((1, 2), np.float32)))[0] == pytest.approx([1 / 4, 1 / 3])


def test_health_tells_dead_units_saturation_mean_and_deviation_per_layer():
    dead = Linear(np.array([[1.0, -1.0, 0.0]]), np.array([0.0, 0.0, -1.0]))
    far = Linear(np.array([[9.0, 0.0], [9.0, 0.0], [0.0, 0.0]]), np.zeros(2))
    x = np.array([[1.0], [2.0]])
    relu, sigmoid = activation_health(Network([dead, ReLU(), far, Sigmoid()]), x)
    assert (relu.name, relu.dead_ratio, relu.saturation_ratio) == ("1", pytest.approx(2 / 3), None)
    assert (relu.mean, relu.deviation) == (pytest.approx(0.5), pytest.approx(np.std([1, 0, 0, 2, 0, 0])))
    assert (sigmoid.name, sigmoid.dead_ratio, sigmoid.saturation_ratio) == ("3", 0.5, 0.5)


def test_advice_says_in_words_what_to_do_about_dead_and_saturated_layers():
    train, validation = xor_parts()
    network = mlp((2, 10, 1), np.random.default_rng(0))
    network.parameters()["0.bias"][:7] = -100
    report = fit_network(
        network, BCEWithLogits(), train, validation, replace(CONFIG, epochs=1), np.random.default_rng(0)
    )
    assert "layer 1: 70% of units dead: lower the learning rate or use LeakyReLU" in report.health.advice
    network = mlp((2, 10, 1), np.random.default_rng(0), activation="tanh")
    network.parameters()["0.bias"][:] = 100
    report = fit_network(
        network, BCEWithLogits(), train, validation, replace(CONFIG, epochs=1), np.random.default_rng(0)
    )
    assert any(sentence.startswith("layer 1: 100% of outputs saturated") for sentence in report.health.advice)


def test_a_loss_that_does_not_fall_in_a_tenth_of_the_epochs_is_reported():
    train, validation = xor_parts()
    quiet = replace(CONFIG, optimizer="sgd", learning_rate=1e-30, epochs=20, patience=0)
    _, report = fit(train, validation, quiet, np.random.default_rng(0))
    assert any("had not fallen after 2 of 20 epochs" in sentence for sentence in report.health.advice)
    _, report = fit(train, validation, CONFIG, np.random.default_rng(0))
    assert not any("had not fallen" in sentence for sentence in report.health.advice)


def test_the_largest_norm_is_of_all_steps_and_the_mean_of_the_last_epoch():
    train, validation = xor_parts()
    rng, norms = np.random.default_rng(0), []
    network = mlp((2, 4, 1), rng)
    training = Training(network, BCEWithLogits(), train, validation, replace(CONFIG, epochs=9, patience=0), rng)
    update = training._optimizer.update
    views = network.views(training._gradient)

    def watched(weights, grad, rate):
        norms.append([float(np.linalg.norm(view)) for view in views.values()])
        return update(weights, grad, rate)

    training._optimizer.update = watched
    parameters = training.run().health.parameters
    steps = len(norms) // 9
    assert len(norms) > 256, "more steps than are summed up at once"
    assert [p.norm for p in parameters] == pytest.approx(np.mean(norms[-steps:], axis=0), rel=1e-4)
    assert [p.norm_max for p in parameters] == pytest.approx(np.max(norms, axis=0), rel=1e-4)
    assert [p.norm_last for p in parameters] == pytest.approx(norms[-1], rel=1e-4)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 0}, "epochs must be a whole number from 1 on, not 0"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"l1": -1.0}, "l1 must be 0 or above"),
        ({"gradient_clip": float("inf")}, "gradient_clip"),
        ({"optimizer": "lion"}, "unknown optimizer 'lion'; one of sgd"),
        ({"schedule": "zigzag"}, "unknown schedule 'zigzag'; one of constant"),
    ],
)
def test_settings_that_make_no_training_are_named(settings, words):
    with pytest.raises(InputError, match=words):
        fit(*xor_parts(), replace(CONFIG, **settings), np.random.default_rng(0))


def test_labels_of_which_none_is_known_and_numbers_too_large_for_the_network_are_refused():
    train, _ = xor_parts(40)
    network = mlp((2, 1), np.random.default_rng(0))
    with pytest.raises(InputError, match="not one is known"):
        fit_network(network, MSE(), Examples(train.x, train.y * np.nan), None, CONFIG, np.random.default_rng(0))
    with pytest.raises(InputError, match="not finite in float32"):
        fit_network(
            network, MSE(), Examples(train.x.astype(float) * 1e300, train.y), None, CONFIG, np.random.default_rng(0)
        )
    with pytest.raises(InputError, match="no parameters"):
        fit_network(Network([ReLU()]), MSE(), train, None, CONFIG, np.random.default_rng(0))


@pytest.mark.parametrize(
    "form", [np.asfortranarray, lambda a: a.astype(np.float64), lambda a: a.repeat(2, 0)[::2], list]
)
def test_arrays_of_any_form_are_learned_from_alike(form):
    train, validation = xor_parts(60)
    flats = []
    for part in (train, Examples(form(train.x), form(train.y))):
        network = mlp((2, 4, 1), np.random.default_rng(0))
        fit_network(network, BCEWithLogits(), part, validation, CONFIG, np.random.default_rng(0))
        flats.append(network.flat)
    assert np.array_equal(*flats)


@pytest.mark.parametrize(
    ("optimizer", "rate"), [("sgd", 1e300), ("adamw", 1e300), ("rmsprop", 1e38), ("adam", 1e20), ("sgd", 1e6)]
)
def test_a_last_step_that_runs_away_is_found_although_no_epoch_follows(optimizer, rate):
    train, _ = xor_parts(100)
    network = mlp((2, 8, 1), np.random.default_rng(0))
    before = network.flat.copy()
    config = FitConfig(optimizer, rate, "constant", epochs=1, batch_size=50, gradient_clip=0)
    with pytest.raises(DivergedError, match="learning rate"):
        fit_network(network, BCEWithLogits(), train, None, config, np.random.default_rng(0))
    assert np.array_equal(network.flat, before)


def test_a_run_that_an_observer_ended_goes_on_as_if_nothing_had_been():
    train, validation = xor_parts(60)
    config = replace(CONFIG, epochs=40, patience=0, learning_rate=0.1, schedule="constant")

    def training():
        network = mlp((2, 8, 1), np.random.default_rng(0))
        return network, Training(network, BCEWithLogits(), train, validation, config, np.random.default_rng(0))

    whole, uninterrupted = training()
    expected = uninterrupted.run()
    network, interrupted = training()

    def leave(epoch):
        if epoch.number == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted.run(leave)
    assert interrupted.run() == expected
    assert np.array_equal(network.flat, whole.flat)
    assert interrupted.run() == expected, "a training that has ended stays ended"


def test_a_training_that_ended_inside_an_epoch_is_not_taken_up():
    train, validation = xor_parts(60)
    network = mlp((2, 8, 1), np.random.default_rng(0))
    training = Training(network, BCEWithLogits(), train, validation, CONFIG, np.random.default_rng(0))
    training._step = lambda *_: (_ for _ in ()).throw(TimeoutError)
    with pytest.raises(TimeoutError):
        training.run()
    for again in (training.run, training.checkpoint):
        with pytest.raises(InputError, match="inside an epoch"):
            again()


def test_an_output_without_a_known_label_is_named_in_either_part():
    train, validation = xor_parts(60)
    unknown = Examples(train.x, np.full_like(train.y, np.nan))
    with pytest.raises(InputError, match="validation labels: not one is known in output 0"):
        fit(train, unknown, CONFIG, np.random.default_rng(0))
    with pytest.raises(InputError, match="training labels: not one is known in output 0"):
        fit(unknown, validation, CONFIG, np.random.default_rng(0))


def spoiled(checkpoint, **facts):
    return Checkpoint(checkpoint.arrays, {**checkpoint.facts, **facts})


def test_a_damaged_or_foreign_checkpoint_is_refused_and_changes_nothing():
    train, validation = xor_parts(60)

    def training(loss=None, train=train, **settings):
        network = mlp((2, 8, 1), np.random.default_rng(0))
        config = replace(CONFIG, **{"optimizer": "adam", "epochs": 6, **settings})
        return Training(network, loss or BCEWithLogits(), train, validation, config, np.random.default_rng(0))

    saved, whole = [], training()
    expected = whole.run(lambda epoch: saved.append(whole.checkpoint()))
    good = saved[2]
    health = good.facts["health"]
    wrong = [
        spoiled(good, best=99),
        spoiled(good, best=-1),
        spoiled(good, best="a"),
        spoiled(good, epochs=[]),
        spoiled(good, epochs=[[1]]),
        spoiled(good, optimizer={}),
        spoiled(good, optimizer={"steps": -1}),
        spoiled(good, health={**health, "sums": health["sums"][:3]}),
        spoiled(good, health={**health, "counts": [1]}),
        spoiled(good, random={"state": 1}),
        spoiled(good, made_with={}),
        Checkpoint({k: v for k, v in good.arrays.items() if k != "weights"}, good.facts),
        Checkpoint({k: v for k, v in good.arrays.items() if k != "optimizer.mean"}, good.facts),
        Checkpoint({**good.arrays, "kept": good.arrays["kept"] * np.nan}, good.facts),
    ]
    other = training()
    for checkpoint in wrong:
        with pytest.raises(InputError, match="checkpoint"):
            other.resume(checkpoint)
    assert other.run() == expected
    foreign = {
        "loss was": training(MSE()),
        "data was": training(train=Examples(train.x[:-1], train.y[:-1])),
        "learning_rate was 0.01, and is 0.02 here": training(learning_rate=0.02),
        "batch_size was": training(batch_size=8),
        "optimizer was Adam": training(optimizer="rmsprop"),
    }
    for words, another in foreign.items():
        with pytest.raises(InputError, match=f"checkpoint: {words}"):
            another.resume(good)
    longer = training(epochs=9)
    longer.resume(good)
    assert len(longer.run().epochs) == 9


@pytest.mark.parametrize("generator", [np.random.MT19937, np.random.Philox, np.random.SFC64, np.random.PCG64DXSM])
def test_any_of_numpys_generators_is_taken_up_where_it_was(generator):
    train, validation = xor_parts(60)

    def training(seed):
        rng = np.random.Generator(generator(seed))
        network = mlp((2, 8, 1), rng, dropout=0.3)
        return network, Training(network, BCEWithLogits(), train, validation, replace(CONFIG, epochs=4), rng)

    whole, first = training(1)
    saved = []
    first.run(lambda epoch: saved.append(dump_checkpoint(first.checkpoint())))
    network, second = training(2)
    second.resume(load_checkpoint(saved[1]))
    second.run()
    assert np.array_equal(network.flat, whole.flat)


def test_gradients_that_are_not_finite_are_left_out_counted_and_in_the_end_too_many():
    train, validation = xor_parts()

    def training(wrong):
        network = mlp((2, 4, 1), np.random.default_rng(0))
        config = replace(CONFIG, epochs=2, batch_size=30)
        training = Training(network, BCEWithLogits(), train, validation, config, np.random.default_rng(0))
        norm, calls = training._health.norm, []

        def seen():
            calls.append(1)
            found = norm()
            return float("inf") if len(calls) in wrong else found

        training._health.norm = seen
        return training

    health = training({3, 25}).run().health
    assert (health.nonfinite_steps, health.steps, health.state) == (2, 40, "exploding")
    assert any("not finite in 2 steps" in sentence for sentence in health.advice)
    with pytest.raises(DivergedError, match="gradients are not finite"):
        training(set(range(40))).run()


def test_one_batch_of_all_rows_is_not_said_to_stand_still():
    train, _ = xor_parts(40)
    _, report = fit(train, None, replace(CONFIG, epochs=19, batch_size=100), np.random.default_rng(0))
    assert not any("had not fallen" in sentence for sentence in report.health.advice)


def test_a_fit_that_has_nothing_left_to_learn_is_healthy():
    x = np.random.default_rng(0).normal(size=(40, 2))
    network = mlp((2, 1), np.random.default_rng(0), dtype=np.float64)
    part = Examples(x, x @ [[1.0], [2.0]])
    config = FitConfig(SGD(0.9), 0.05, "constant", epochs=600, batch_size=40, patience=0)
    report = fit_network(network, MSE(), part, None, config, np.random.default_rng(0))
    assert report.best.train_loss < 1e-20
    assert report.health.state == "healthy"


@pytest.mark.parametrize(
    "make",
    [
        lambda: SGD(1.5),
        lambda: AdamW(weight_decay=-1),
        lambda: Adam(beta2=1.0),
        lambda: StepDecay(every=0),
        lambda: Exponential(-1),
        lambda: WarmUp(2.0),
        lambda: ReduceOnPlateau(patience=0),
        lambda: mlp((2, 1), np.random.default_rng(0), dtype=np.int64),
    ],
)
def test_optimizers_schedules_and_types_that_make_no_sense_are_refused(make):
    with pytest.raises(ValueError, match=r"is no|float32 or float64"):
        make()

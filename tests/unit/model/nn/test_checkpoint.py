"""Tests of `model.nn.checkpoint`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.errors import InputError, InputProblem, SerializationError, SerializationProblem
from model.nn.checkpoint import dump_checkpoint, load_checkpoint
from model.nn.data import Examples
from model.nn.diagnostics.gradient_statistics import StatisticsState
from model.nn.fit_config import FitConfig
from model.nn.losses import MSE, BCEWithLogits
from model.nn.network import mlp
from model.nn.optimizers import OptimizerState
from model.nn.serialization import dump_network
from model.nn.training import Training
from model.npz import pack, unpack
from tests.unit.model.nn.cases import xor_examples

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[3] / "golden" / "nn"


def new_training(loss=None, units=8, train=None, **settings):
    examples, validation = xor_examples(60)
    network = mlp((2, units, 1), np.random.default_rng(0))
    config = FitConfig(**{"optimizer": "adam", "epochs": 6, "batch_size": 16, "learning_rate": 0.01, **settings})
    return Training(network, loss or BCEWithLogits(), train or examples, validation, config, np.random.default_rng(0))


@pytest.fixture(scope="module")
def checkpoint():
    """Return the state after three of six epochs."""
    checkpoints = []
    training = new_training()
    training.run(lambda epoch: checkpoints.append(training.checkpoint()))
    return checkpoints[2]


def test_checkpoint_is_unchanged_after_a_round_trip(checkpoint):
    restored = load_checkpoint(dump_checkpoint(checkpoint))
    assert restored.signature == checkpoint.signature
    assert restored.epochs == checkpoint.epochs
    assert restored.generator == checkpoint.generator
    assert restored.parameters.tobytes() == checkpoint.parameters.tobytes()
    assert restored.optimizer.steps == checkpoint.optimizer.steps
    assert restored.optimizer.names == checkpoint.optimizer.names
    assert restored.statistics.counts == checkpoint.statistics.counts
    assert np.array_equal(restored.statistics.sums, checkpoint.statistics.sums)
    assert dump_checkpoint(restored) == dump_checkpoint(checkpoint)


def test_missing_validation_loss_is_restored_as_nan(checkpoint):
    epochs = tuple(epoch._replace(validation_loss=np.nan) for epoch in checkpoint.epochs)
    restored = load_checkpoint(dump_checkpoint(replace(checkpoint, epochs=epochs)))
    assert np.isnan(restored.epochs[0].validation_loss)


def test_checkpoint_of_release_0_1_is_resumed():
    train, validation = xor_examples(60)
    rng = np.random.default_rng(9)
    network = mlp((2, 4, 1), rng, activation="leaky_relu", dropout=0.2)
    config = FitConfig(epochs=6, batch_size=16, learning_rate=0.01)
    training = Training(network, BCEWithLogits(), train, validation, config, rng)
    training.resume(load_checkpoint((GOLDEN / "checkpoint-0.1.npz").read_bytes()))
    report = training.run()
    assert [epoch.number for epoch in report.epochs] == [1, 2, 3, 4, 5, 6]
    assert report.health.steps == 12


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop"])
def test_older_checkpoint_with_a_scratch_array_is_resumed(optimizer):
    checkpoints = []
    uninterrupted = new_training(optimizer=optimizer)
    expected = uninterrupted.run(lambda epoch: checkpoints.append(dump_checkpoint(uninterrupted.checkpoint())))
    header, arrays = unpack(checkpoints[2], "checkpoint", 2)
    assert "optimizer.step" not in arrays
    arrays["optimizer.step"] = np.ones_like(arrays["weights"])
    training = new_training(optimizer=optimizer)
    training.resume(load_checkpoint(pack(header, arrays)))
    assert training.run() == expected
    assert training.network.flat.tobytes() == uninterrupted.network.flat.tobytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda c: {"kept_index": 99},
        lambda c: {"kept_index": -1},
        lambda c: {"epochs": ()},
        lambda c: {"optimizer": OptimizerState(c.optimizer.arrays)},
        lambda c: {"optimizer": OptimizerState(c.optimizer.arrays, -1)},
        lambda c: {"optimizer": OptimizerState({"square": c.optimizer.arrays["square"]}, c.optimizer.steps)},
        lambda c: {"statistics": StatisticsState(c.statistics.sums[:3], c.statistics.counts)},
        lambda c: {"statistics": StatisticsState(c.statistics.sums, (-1, 0, 0, 0, 0))},
        lambda c: {"generator": {"state": 1}},
        lambda c: {"signature": {}},
        lambda c: {"parameters": c.parameters[:-1]},
        lambda c: {"kept_parameters": c.kept_parameters * np.nan},
    ],
)
def test_resume_rejects_an_inconsistent_checkpoint_and_changes_nothing(checkpoint, change):
    expected = new_training().run()
    training = new_training()
    with pytest.raises(InputError) as raised:
        training.resume(replace(checkpoint, **change(checkpoint)))
    assert raised.value.problem is InputProblem.CHECKPOINT
    assert training.run() == expected


@pytest.mark.parametrize(
    ("name", "difference"),
    [
        ("loss", {"loss": MSE()}),
        ("data", {"train": Examples(np.zeros((29, 2), np.float32), np.arange(29.0)[:, None] % 2)}),
        ("learning_rate", {"learning_rate": 0.02}),
        ("batch_size", {"batch_size": 8}),
        ("optimizer", {"optimizer": "rmsprop"}),
        ("parameters", {"units": 9}),
    ],
)
def test_resume_names_the_difference_to_the_checkpointed_training(checkpoint, name, difference):
    with pytest.raises(InputError, match=f"^checkpoint: {name} ") as raised:
        new_training(**difference).resume(checkpoint)
    assert raised.value.problem is InputProblem.CHECKPOINT


def test_resume_accepts_another_number_of_epochs(checkpoint):
    training = new_training(epochs=9)
    training.resume(checkpoint)
    assert len(training.run().epochs) == 9


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": [[1]]},
        {"best": "first"},
        {"optimizer": [1]},
        {"health": {"sums": [[1.0]], "counts": [1]}},
        {"made_with": None},
        {"random": 1},
    ],
)
def test_load_checkpoint_rejects_malformed_content(checkpoint, change):
    header, arrays = unpack(dump_checkpoint(checkpoint), "checkpoint", 2)
    header["facts"] |= change
    with pytest.raises(SerializationError) as raised:
        load_checkpoint(pack(header, arrays))
    assert raised.value.problem is SerializationProblem.CONTENT


def test_load_checkpoint_rejects_a_network():
    with pytest.raises(SerializationError) as raised:
        load_checkpoint(dump_network(mlp((2, 1), np.random.default_rng(0))))
    assert raised.value.problem is SerializationProblem.KIND

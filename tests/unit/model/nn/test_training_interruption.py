"""Tests of `model.nn.training`: interruption and resumption."""

from dataclasses import replace

import numpy as np
import pytest

from model.errors import InputError, InputProblem
from model.nn.checkpoint import dump_checkpoint, load_checkpoint
from model.nn.losses import BCEWithLogits
from model.nn.network import mlp
from model.nn.optimizers import OPTIMIZERS
from model.nn.schedules import SCHEDULES
from model.nn.training import Training
from tests.unit.model.nn.cases import CONFIG, new_training, xor_examples

pytestmark = pytest.mark.unit


def test_exception_of_the_callback_ends_the_run():
    def stop(epoch):
        raise TimeoutError

    with pytest.raises(TimeoutError):
        new_training(*xor_examples()).run(stop)


def test_interrupted_run_continues_bit_identically():
    config = replace(CONFIG, epochs=40, patience=0, learning_rate=0.1, schedule="constant")
    uninterrupted = new_training(*xor_examples(60), config)
    expected = uninterrupted.run()
    interrupted = new_training(*xor_examples(60), config)

    def interrupt(epoch):
        if epoch.number == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted.run(interrupt)
    assert interrupted.run() == expected
    assert np.array_equal(interrupted.network.flat, uninterrupted.network.flat)
    assert interrupted.run() == expected, "a completed training is not trained further"


def test_training_interrupted_inside_an_epoch_cannot_continue():
    training = new_training(*xor_examples(60))
    training._update_parameters = lambda rate: (_ for _ in ()).throw(TimeoutError)
    with pytest.raises(TimeoutError):
        training.run()
    for continuation in (training.run, training.checkpoint):
        with pytest.raises(InputError) as raised:
            continuation()
        assert raised.value.problem is InputProblem.INTERRUPTED


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_resumed_training_is_bit_identical_to_an_uninterrupted_training(optimizer, schedule):
    config = replace(CONFIG, optimizer=optimizer, schedule=schedule, epochs=9, l2=1e-4, patience=0)
    checkpoints = []
    uninterrupted = new_training(*xor_examples(300), config, seed=3, dropout=0.2)
    expected = uninterrupted.run(lambda epoch: checkpoints.append(dump_checkpoint(uninterrupted.checkpoint())))
    # Initial weights and generator state differ; both are replaced by those of the checkpoint.
    resumed = new_training(*xor_examples(300), config, seed=99, dropout=0.2)
    resumed.resume(load_checkpoint(checkpoints[3]))
    assert resumed.run() == expected
    assert resumed.network.flat.tobytes() == uninterrupted.network.flat.tobytes()


@pytest.mark.parametrize("generator", [np.random.MT19937, np.random.Philox, np.random.SFC64, np.random.PCG64DXSM])
def test_resume_restores_any_generator_of_numpy(generator):
    train, validation = xor_examples(60)

    def training(seed):
        rng = np.random.Generator(generator(seed))
        network = mlp((2, 8, 1), rng, dropout=0.3)
        return Training(network, BCEWithLogits(), train, validation, replace(CONFIG, epochs=4), rng)

    uninterrupted, checkpoints = training(1), []
    uninterrupted.run(lambda epoch: checkpoints.append(dump_checkpoint(uninterrupted.checkpoint())))
    resumed = training(2)
    resumed.resume(load_checkpoint(checkpoints[1]))
    resumed.run()
    assert np.array_equal(resumed.network.flat, uninterrupted.network.flat)

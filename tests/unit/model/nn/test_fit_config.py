"""Tests of `model.nn.fit_config`."""

import numpy as np
import pytest

from model.errors import InputError, InputProblem
from model.nn.fit_config import FitConfig
from model.nn.optimizers import OPTIMIZERS, SGD, AdamW
from model.nn.schedules import SCHEDULES, ReduceOnPlateau, StepDecay

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("batch_size", 2.5),
        ("batch_size", "many"),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("l1", -1.0),
        ("gradient_clip", float("inf")),
        ("optimizer", "lion"),
        ("optimizer", SGD),
        ("schedule", "zigzag"),
    ],
)
def test_check_names_the_invalid_setting(name, value):
    with pytest.raises(InputError, match=name) as raised:
        FitConfig(**{name: value}).check()
    assert raised.value.problem is InputProblem.SETTING


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, SGD(0.5)])
@pytest.mark.parametrize("schedule", [*SCHEDULES, StepDecay(0.1)])
def test_check_accepts_names_and_instances(optimizer, schedule):
    FitConfig(optimizer=optimizer, schedule=schedule).check()


def test_new_optimizer_by_name_decays_the_weights_only():
    optimizer = FitConfig(optimizer="adamw", weight_decay=0.2).new_optimizer(20)
    assert (optimizer.weight_decay, optimizer.decayed) == (0.2, 20)
    assert FitConfig(optimizer="momentum", weight_decay=0.2).new_optimizer(20) == SGD(0.9)


def test_new_optimizer_copies_an_instance():
    instance = AdamW(weight_decay=0.1)
    optimizer = FitConfig(optimizer=instance).new_optimizer(20)
    optimizer.update(np.zeros(3), np.ones(3), 0.1)
    assert optimizer.decayed == 20
    assert instance == AdamW(weight_decay=0.1)


def test_new_optimizer_keeps_the_number_of_decayed_parameters_of_an_instance():
    assert FitConfig(optimizer=AdamW(decayed=5)).new_optimizer(20).decayed == 5


def test_new_schedule_copies_an_instance():
    instance = ReduceOnPlateau(patience=1)
    schedule = FitConfig(schedule=instance).new_schedule()
    schedule.start_epoch([1.0, 2.0])
    assert schedule.factor(0) == 0.5
    assert instance.factor(0) == 1.0
    assert isinstance(FitConfig(schedule="step").new_schedule(), StepDecay)

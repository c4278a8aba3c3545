"""Own training: the gate against the shared model, and reasons without a model."""

import numpy as np
import pytest

from model.features.labels import Rules
from model.forecast.serialization import bundled_pretrained_model
from model.training.fleet.own_training import train_own
from model.training.settings import GateConfig
from model.training.task import Task

pytestmark = pytest.mark.unit

STEP = 300.0
TASK = Task(Rules(((("cpu_usage", 0.8),),), STEP), (900.0, 3600.0))


def run(load, gate=None):
    times = 1.7e9 + STEP * np.arange(len(load))
    shared = bundled_pretrained_model()
    return train_own(times, load[:, None], ("cpu_usage",), TASK, shared, gate or GateConfig(), (0, 1))


def make_load():
    rng = np.random.default_rng(1)
    rows = np.arange(5 * 288)
    return np.clip(0.3 + 0.6 * (rows % 96 < 12) + rng.normal(0, 0.05, len(rows)), 0, 1)


def test_own_model_uses_features_of_the_load_index_only():
    trained = run(make_load())
    assert trained.reason == ""
    assert trained.model.hidden.shape[1] == 16
    assert (trained.model.hidden != 0).any(axis=1).sum() > 40


def test_gate_refuses_a_model_without_the_required_skill():
    trained = run(make_load(), GateConfig(min_skill=0.999))
    assert (trained.model, trained.reason) == (None, "low_skill")
    assert "0.999" in trained.message


def test_history_without_high_load_has_a_reason():
    assert run(np.full(600, 0.2)).reason == "no_high_load"

"""Synthetic host: periodic bursts of load with gaps, missing values and a rate over several decades."""

import numpy as np
import pytest

from model.features.dataset import Dataset
from model.features.labels import Rules
from model.training.pipeline import train
from model.training.settings import Recipe
from model.training.task import Task
from model.trees.boosting import BoostingConfig

COLUMNS = ("cpu_usage", "memory_usage", "network_receive", "swap_usage")


def make_trace(rows=4000, step=10.0, seed=0, period=600.0):
    rng = np.random.default_rng(seed)
    times = 1.7e9 + step * np.arange(rows) + np.where(np.arange(rows) > rows // 2, 500.0, 0)
    busy = (times % period) < period / 4
    cpu = np.clip(0.3 + 0.6 * busy + rng.normal(0, 0.05, rows), 0, 1)
    memory = np.clip(0.5 + 0.1 * np.sin(times / 5000) + rng.normal(0, 0.01, rows), 0, 1)
    receive = np.exp(rng.normal(8, 2, rows))
    values = np.column_stack([cpu, memory, receive, np.full(rows, np.nan)])
    values[rng.random(rows) < 0.02, 1] = np.nan
    kept = rng.random(rows) > 0.01
    return times[kept], values[kept]


@pytest.fixture(scope="session")
def trace():
    return make_trace()


def label_rows(y, times, state=None, spacing=10.0):
    """A dataset of which only labels, times and state matter."""
    n = len(times)
    return Dataset(
        x=np.zeros((n, 1), np.float32),
        y=y,
        auxiliary=np.zeros((n, 0)),
        times=times,
        state=np.zeros(n) if state is None else state,
        high_with_dips=np.zeros(n, bool) if state is None else state == 1,
        spacing=np.full(n, spacing),
    )


TASK = Task(Rules(((("cpu_usage", 0.8),),), 20.0), (60.0, 200.0))
RECIPE = Recipe(layers=(32,), boosting=BoostingConfig(trees=30, learning_rate=0.3))


@pytest.fixture(scope="session")
def candidate(trace):
    """A candidate trained on the trace for TASK with RECIPE."""
    return train(*trace, COLUMNS, TASK, RECIPE, np.random.default_rng(0))

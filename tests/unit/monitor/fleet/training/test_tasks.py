"""Training tasks: results as bytes, equal for equal tasks."""

import numpy as np
import pytest

from model.forecast.serialization.own_models import loads_own
from monitor.fleet.training.tasks import PoolingTask, host_seed, run_pooling, run_task

from .fleets import STEP, make_load, make_task

pytestmark = pytest.mark.unit


def test_task_trains_an_own_model():
    result = run_task(make_task(1))
    assert (result.host, result.reason) == ("host-001", "")
    model = loads_own(result.model)
    assert model.output.shape == (16, 2)
    assert run_task(make_task(1)) == result


def test_task_without_high_load_has_a_reason():
    task = make_task(1)
    calm = type(task)(**{**vars(task), "values": np.full_like(task.values, 0.1)})
    result = run_task(calm)
    assert result.model is None
    assert result.reason == "no_high_load"


def test_pooling_leaves_out_a_short_history():
    times, load = make_load(0)
    task = PoolingTask(host="a", times=times, index=load / 0.8, step=STEP, sustained=STEP, rows=50)
    rows = run_pooling(task)
    assert [len(reading.x) for reading in rows.readings] == [50] * 4
    assert run_pooling(PoolingTask(**{**vars(task), "times": times[:50], "index": load[:50]})) is None


def test_seeds_differ_between_hosts():
    assert host_seed(0, "a") != host_seed(0, "b") != host_seed(1, "b")

"""Fleet trainer: histories of a source, and results that do not depend on the executor."""

import pytest

from model.forecast.serialization import loads_pretrained
from model.training.settings import GateConfig
from monitor.errors import NotEnoughDataError
from monitor.fleet.training.executors import LocalExecutor, Lost
from monitor.fleet.training.tasks import WORKER_DIED, run_task
from monitor.fleet.training.trainer import FleetTrainer, train_hosts

from .fleets import SHIPPED, START, TASK, ArraySource, make_task

pytestmark = pytest.mark.unit

END = START + 6 * 86400


class InlineExecutor:
    """Executor without processes, which yields the results in reverse order."""

    def run(self, function, tasks):
        return iter([function(task) for task in tasks][::-1])


def make_trainer(executor=None):
    return FleetTrainer(ArraySource(), executor or InlineExecutor(), TASK, GateConfig())


def test_own_models_are_trained_on_the_joined_parts_of_a_history():
    results = {r.host: r for r in make_trainer().train_own(["host-001", "empty"], START, END, SHIPPED)}
    assert results["host-001"] == run_task(make_task(1))
    assert (results["empty"].model, results["empty"].reason) == (None, "missing_metric")


def test_results_of_processes_are_the_same_bits():
    tasks = [make_task(number) for number in range(2)]
    results = {result.host: result for result in train_hosts(iter(tasks), LocalExecutor(2))}
    assert results == {task.host: run_task(task) for task in tasks}


def test_pooled_model_is_compared_with_the_shipped_one(monkeypatch):
    monkeypatch.setattr("monitor.fleet.training.trainer.POOLED_ROWS", 20_000)
    hosts = [f"host-{number:03}" for number in range(6)] + ["empty"]
    pooled = make_trainer().train_pooled(hosts, START, END)
    assert pooled.hosts == 6
    assert pooled.comparison.hosts == 6
    assert pooled.accepted == pooled.comparison.accepted(1.0)
    assert len(loads_pretrained(pooled.model).networks) == 4
    assert make_trainer().train_pooled(hosts[::-1], START, END).model == pooled.model


def test_pool_without_history_is_an_error():
    with pytest.raises(NotEnoughDataError):
        make_trainer().train_pooled(["empty"], START, END)


def test_lost_task_has_a_result():
    class DyingExecutor:
        def run(self, _, tasks):
            return iter([Lost(task) for task in tasks])

    results = list(train_hosts(iter([make_task(1)]), DyingExecutor()))
    assert [(result.host, result.reason) for result in results] == [("host-001", WORKER_DIED)]

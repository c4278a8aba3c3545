"""Executors: every task has a result, also if workers die."""

import os
import signal
from collections import deque

import pytest

from monitor.errors import ConfigError
from monitor.fleet.training.executors import LocalExecutor, Lost, create_executor, take

pytestmark = pytest.mark.unit


def square(number):
    return number * number


def square_or_die(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def square_or_fail(number):
    if number == 3:
        raise ValueError("three")
    return number * number


def threads(_):
    return os.environ["OPENBLAS_NUM_THREADS"]


def test_local_executor_yields_all_results():
    assert sorted(LocalExecutor(2).run(square, range(9))) == [number * number for number in range(9)]


def test_local_executor_gives_up_the_task_that_kills_its_workers_only():
    results = list(LocalExecutor(2).run(square_or_die, range(6)))
    lost = [result.task for result in results if isinstance(result, Lost)]
    assert lost == [3]
    assert sorted(result for result in results if not isinstance(result, Lost)) == [0, 1, 4, 16, 25]


def test_local_executor_raises_the_error_of_a_task():
    with pytest.raises(ValueError, match="three"):
        list(LocalExecutor(1).run(square_or_fail, range(6)))


def test_local_executor_reads_tasks_as_workers_become_free():
    read = []
    results = LocalExecutor(1).run(square, (read.append(number) or number for number in range(100)))
    next(results)
    assert len(read) <= 3
    results.close()


def test_workers_have_one_thread(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    assert list(LocalExecutor(1).run(threads, [0])) == ["1"]
    assert os.environ["OPENBLAS_NUM_THREADS"] == "4"


@pytest.mark.parametrize("name", ["", "dask://", "spark://host:1"])
def test_unknown_executor_is_a_configuration_error(name):
    with pytest.raises(ConfigError, match=r"fleet\.executor"):
        create_executor(name, 1)


def test_missing_extra_is_a_configuration_error(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    monkeypatch.delitem(__import__("sys").modules, "monitor.fleet.training.dask_executor", raising=False)
    with pytest.raises(ConfigError, match="fleet-dask"):
        create_executor("dask://host:8786", 1)


def test_take_prefers_a_task_that_was_put_back():
    queue = deque([7])
    tasks = iter([1])
    assert [take(queue, tasks), take(queue, tasks), take(queue, tasks)] == [7, 1, None]

"""Training of a fleet on Dask: a scheduler and two workers as processes, one of which is killed."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from model.features.labels import Rules
from model.forecast.serialization import bundled_pretrained_model, dumps_pretrained
from model.training.settings import GateConfig
from model.training.task import Task
from monitor.errors import MonitorError
from monitor.fleet.training.executors import LocalExecutor, create_executor
from monitor.fleet.training.tasks import TrainingTask
from monitor.fleet.training.trainer import train_hosts

pytest.importorskip("distributed")
pytestmark = pytest.mark.integration

HOSTS = 100
TRAINED = 5
"""Number of hosts with high load in their history; the others have a result without a model."""

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def make_tasks():
    shipped = dumps_pretrained(bundled_pretrained_model(), {})
    task = Task(Rules(((("cpu_usage", 0.8),),), 300.0), (900.0, 3600.0))
    times = 1.7e9 + 300.0 * np.arange(3 * 288)
    for number in range(HOSTS):
        rng = np.random.default_rng(number)
        load = np.clip(rng.normal(0.3, 0.05, len(times)), 0, 0.7)
        if number % (HOSTS // TRAINED) == 0:
            load[(np.arange(len(times)) + 3 * number) % 96 < 12] += 0.6
        yield TrainingTask(
            host=f"host-{number:03}",
            times=times,
            values=load[:, None],
            columns=("cpu_usage",),
            task=task,
            shared=shipped,
            gate=GateConfig(),
        )


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


@contextmanager
def started(module, *arguments):
    """Run a command of Dask, and end it at last."""
    command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments, "--no-dashboard"]
    environment = {**os.environ, **ONE_THREAD}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def worker(address):
    options = ("--nthreads", "1", "--no-nanny", "--host", "127.0.0.1")
    with started("dask_worker", f"tcp://{address}", *options) as process:
        yield process


def test_killed_worker_loses_no_result_and_changes_none():
    address = f"127.0.0.1:{free_port()}"
    with (
        started("dask_scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2]),
        worker(address) as victim,
        worker(address),
    ):
        results = {}
        for result in train_hosts(make_tasks(), create_executor(f"dask://{address}", 1)):
            assert result.host not in results
            results[result.host] = result
            if len(results) == 12:
                victim.send_signal(signal.SIGKILL)
    assert victim.poll() is not None
    local = {result.host: result for result in train_hosts(make_tasks(), LocalExecutor(2))}
    assert len(results) == HOSTS
    assert results == local
    assert sum(result.model is not None for result in local.values()) >= 2


def test_unreachable_scheduler_is_one_clear_error(monkeypatch):
    monkeypatch.setattr("monitor.fleet.training.dask_executor.CONNECT_SECONDS", 1)
    task = replace(next(make_tasks()), host="a")
    with pytest.raises(MonitorError, match="no Dask scheduler answers at 127"):
        list(train_hosts(iter([task]), create_executor(f"dask://127.0.0.1:{free_port()}", 1)))

"""Small fleets for the tests of training."""

import numpy as np

from model.features.labels import Rules
from model.forecast.serialization import bundled_pretrained_model, dumps_pretrained
from model.training.settings import GateConfig
from model.training.task import Task
from monitor.fleet.interfaces import FleetSample, HostHistory
from monitor.fleet.training.tasks import TrainingTask

STEP = 300.0
START = 1.7e9 // 86400 * 86400
TASK = Task(Rules(((("cpu_usage", 0.8),),), STEP), (900.0, 3600.0))
SHIPPED = dumps_pretrained(bundled_pretrained_model(), {})


def make_load(seed, days=6):
    """Return times and CPU load of a host with a busy hour at the same time of each day and random bursts."""
    rng = np.random.default_rng(seed)
    times = START + STEP * np.arange(int(days * 86400 / STEP))
    hour = times % 86400 // 3600
    load = 0.3 + 0.02 * np.cumsum(rng.normal(0, 1, len(times))) % 0.2
    load += 0.6 * np.isin(hour, [seed % 7 + 3, seed % 5 + 12])
    return times, np.clip(load + rng.normal(0, 0.05, len(times)), 0, 1)


def make_task(number):
    times, load = make_load(number)
    return TrainingTask(
        host=f"host-{number:03}",
        times=times,
        values=load[:, None],
        columns=("cpu_usage",),
        task=TASK,
        shared=SHIPPED,
        gate=GateConfig(),
    )


class ArraySource:
    """Source of hosts whose histories arrive in two parts; the host "empty" has none."""

    columns = ("memory_usage", "cpu_usage")
    step = STEP

    def read(self, time):
        return FleetSample(time, (), np.empty((0, 2)))

    def history(self, hosts, start, end):
        for half in range(2):
            for host in hosts:
                if host == "empty":
                    continue
                times, load = make_load(int(host.rpartition("-")[2]))
                rows = slice(0, 800) if half == 0 else slice(800, None)
                values = np.column_stack([load, load])
                inside = (times[rows] >= start) & (times[rows] < end)
                yield HostHistory(host, times[rows][inside], values[rows][inside])

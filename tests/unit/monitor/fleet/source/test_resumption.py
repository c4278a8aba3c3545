"""Resumption: histories after the last time of each host."""

import numpy as np
import pytest

from monitor.fleet.interfaces import HostHistory
from monitor.fleet.source.resumption import resumed_histories

pytestmark = pytest.mark.unit


class Source:
    columns = ("cpu_usage",)
    step = 60.0

    def __init__(self):
        self.calls = []

    def history(self, hosts, start, end):
        self.calls.append((hosts, start, end))
        for host in hosts:
            times = np.arange(start, end, self.step)
            yield HostHistory(host, times, times[:, None] / 1e6)


def test_each_host_continues_after_its_last_time():
    source = Source()
    last_times = {"a": 36000.0, "b": 36120.0, "c": 72000.0, "d": 36000.0}
    parts = {part.host: part.times for part in resumed_histories(source, last_times, 72180.0)}
    assert [(hosts, start) for hosts, start, _ in source.calls] == [(("a", "b", "d"), 36060.0), (("c",), 72060.0)]
    assert (parts["a"][0], parts["b"][0], parts["c"].tolist()) == (36060.0, 36180.0, [72060.0, 72120.0])
    assert {times[-1] for times in parts.values()} == {72120.0}


def test_host_that_is_complete_has_no_part():
    parts = list(resumed_histories(Source(), {"a": 3540.0, "b": 3600.0}, 3660.0))
    assert [(part.host, part.times.tolist()) for part in parts] == [("a", [3600.0])]

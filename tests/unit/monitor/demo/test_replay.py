"""Clock and source of a replay."""

import numpy as np
import pytest

from monitor.demo.replay import ReplayClock, TraceSource
from monitor.sampling.sampler import Sampler
from monitor.sampling.trace_reader import Trace, TraceStatistics
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

TIMES = NOW + np.array([0.0, 60.0, 180.0])
VALUES = np.array([[0.25, 0.5], [0.75, np.nan], [0.5, 0.5]])
TRACE = Trace(("cpu_usage", "memory_usage"), TIMES, VALUES, TraceStatistics(rows=3))


def test_sampler_takes_the_rows_of_the_trace_at_the_time_of_the_clock():
    clock = ReplayClock(NOW)
    sampler = Sampler((TraceSource(TRACE, clock),), 60.0, clock=clock, monotonic=clock)
    samples = []
    for offset in (0.0, 60.0, 120.0, 180.0, 240.0):
        clock.now = NOW + offset
        samples.append(sampler.sample())
    assert [sample.at - NOW for sample in samples] == [0.0, 60.0, 120.0, 180.0, 240.0]
    assert [sample.cpu_usage for sample in samples] == [0.25, 0.75, None, 0.5, None]
    assert [sample.memory_usage for sample in samples] == [0.5, None, None, 0.5, None]
    assert (sampler.samples_missed_total, sampler.states["trace"].success) == (0, True)

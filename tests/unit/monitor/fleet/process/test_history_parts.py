"""Parts of histories."""

import numpy as np
import pytest

from monitor.fleet.interfaces import HostHistory
from monitor.fleet.process.history_parts import joined, samples_of

pytestmark = pytest.mark.unit


def history(host, *times):
    return HostHistory(host, np.array(times, float), np.array([[time, 0.0] for time in times]).reshape(-1, 2))


def test_joined_appends_the_parts_of_a_host():
    histories = joined([history("a", 60), history("b", 60), history("a", 120, 180)])
    assert histories["a"].times.tolist() == [60, 120, 180]
    assert histories["a"].values[:, 0].tolist() == [60, 120, 180]
    assert histories["b"].times.tolist() == [60]


def test_samples_of_histories_are_in_time_order():
    samples = samples_of([history("b", 60, 180), history("a", 120, 180)])
    assert [(sample.time, sample.hosts) for sample in samples] == [(60, ("b",)), (120, ("a",)), (180, ("a", "b"))]
    assert samples[2].values.tolist() == [[180, 0], [180, 0]]


def test_samples_of_nothing_are_none():
    assert samples_of([]) == []

"""Fixture host of the source tests: recorded /proc and /sys trees."""

import math
from pathlib import Path

import pytest

from monitor.sampling.sources import procfs

GOLDEN = Path(__file__).parents[4] / "golden"

SECONDS = 5.0
"""Time between the two recorded states of the host."""


class FixtureHost:
    """A host with two recorded states, `before` and `after`."""

    def __init__(self, monkeypatch):
        self._monkeypatch = monkeypatch
        self.use("before")

    def use(self, state):
        self._monkeypatch.setattr(procfs, "PROCFS", str(GOLDEN / "proc" / state))

    def readings(self, source):
        """Return the readings of a source in both states."""
        self.use("before")
        previous = source.read()
        self.use("after")
        return previous, source.read()

    def values(self, source):
        """Return the values of a source over both states."""
        return values_of(source, *self.readings(source))


def values_of(source, previous, current, seconds=SECONDS):
    """Return the values of a source over two readings."""
    source.compute(previous, 0.0, math.inf)
    return source.compute(current, seconds, math.inf)


@pytest.fixture
def host(monkeypatch):
    monkeypatch.setattr(procfs, "SYSFS", GOLDEN / "sys")
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    return FixtureHost(monkeypatch)


@pytest.fixture
def proc(monkeypatch, tmp_path):
    """An empty /proc."""
    monkeypatch.setattr(procfs, "PROCFS", str(tmp_path))
    return tmp_path

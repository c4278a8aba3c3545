"""Comparison of clocks."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.system.clocks import MIN_CHANGE, ClockChange, ClockComparison, boot_time

pytestmark = pytest.mark.unit


class Machine:
    """The three clocks of a machine."""

    def __init__(self):
        self.wall = 1.8e9
        self.monotonic = 5000.0
        self.boot = 9000.0

    def run(self, seconds):
        self.wall += seconds
        self.monotonic += seconds
        self.boot += seconds

    def suspend(self, seconds):
        self.wall += seconds
        self.boot += seconds

    def comparison(self):
        return ClockComparison(wall=lambda: self.wall, monotonic=lambda: self.monotonic, boot=lambda: self.boot)


@given(
    runs=st.floats(0, 1e5),
    suspended=st.one_of(st.just(0.0), st.floats(1, 1e7)),
    step=st.one_of(st.just(0.0), st.floats(1, 1e9), st.floats(-1e9, -1)),
)
def test_comparison_tells_suspend_from_step(runs, suspended, step):
    machine = Machine()
    clocks = machine.comparison()
    machine.run(runs)
    machine.suspend(suspended)
    machine.wall += step
    change = clocks.update()
    assert change.suspended == pytest.approx(suspended, abs=1e-6)
    assert change.step == pytest.approx(step, abs=1e-5)
    machine.run(5.0)
    assert clocks.update() == ClockChange(step=0.0, suspended=0.0)


def test_pending_change_stays_until_the_update():
    machine = Machine()
    clocks = machine.comparison()
    machine.suspend(60.0)
    assert clocks.pending().suspended == clocks.pending().suspended == pytest.approx(60.0)
    clocks.update()
    assert clocks.pending() == ClockChange(step=0.0, suspended=0.0)


@pytest.mark.parametrize("step", [MIN_CHANGE / 2, -MIN_CHANGE / 2])
def test_comparison_ignores_adjustments_by_less_than_the_reading_of_clocks_takes(step):
    machine = Machine()
    clocks = machine.comparison()
    machine.wall += step
    assert clocks.update() == ClockChange(step=0.0, suspended=0.0)


def test_boot_time_is_not_behind_the_monotonic_clock():
    before = time.monotonic()
    assert boot_time() >= before


@pytest.mark.parametrize("interrupted_reading", range(4))
def test_suspend_between_two_readings_is_no_step(interrupted_reading):
    machine = Machine()
    readings = iter(range(1000))

    def reading(name):
        def read():
            if next(readings) == 4 + interrupted_reading:
                machine.suspend(3600.0)
            return getattr(machine, name)

        return read

    comparison = ClockComparison(wall=reading("wall"), monotonic=reading("monotonic"), boot=reading("boot"))
    changes = [comparison.update(), comparison.update()]
    assert [change.step for change in changes] == [0.0, 0.0]
    assert sum(change.suspended for change in changes) == 3600.0

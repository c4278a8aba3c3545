"""CPU source."""

import pytest

from monitor.sampling.sources.cpu import Cpu

from .conftest import SECONDS

pytestmark = pytest.mark.unit


def test_cpu_ratios_count_guest_time_once_and_steal_as_busy(host):
    # Of 1000 ticks: 200 user (80 of them guest), 10 nice, 90 system, 5 irq, 5 softirq, 10 steal, 640 idle, 40 iowait.
    expected = {"cpu_usage": 0.32, "cpu_iowait": 0.04, "cpu_steal": 0.01}
    assert host.values(Cpu()) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", ["iowait", "idle"])
def test_cpu_tolerates_downward_correction_of_idle_time(kind, host):
    before, after = host.readings(Cpu())
    corrected = {**after, kind: before[kind] - 0.02}
    elapsed = sum(corrected.values()) - sum(before.values()) + 0.02
    assert Cpu().compute(before, corrected, SECONDS)["cpu_usage"] == pytest.approx(3.2 / elapsed)


def test_cpu_ratios_are_missing_after_reset_of_counters(host):
    after = Cpu().read()
    before = {**after, "user": after["user"] + 50.0, "idle": after["idle"] - 5.0}
    assert Cpu().compute(before, after, SECONDS) == dict.fromkeys(Cpu.fields)

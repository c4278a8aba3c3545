"""CPU source."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sampling.sources import cpu as cpu_module
from monitor.sampling.sources.cpu import IDLE, IOWAIT, KINDS, TICKS, Cpu

from .conftest import SECONDS

pytestmark = pytest.mark.unit

MISSING = dict.fromkeys(Cpu.fields)


def reading(cpus=1, **seconds):
    """Return a reading with the given seconds of CPU time."""
    return (*(round(seconds.get(kind, 0) * TICKS) for kind in KINDS), cpus)


def usages(*readings):
    """Return the CPU usage at each reading, SECONDS apart."""
    source = Cpu()
    return [source.compute(r, SECONDS * i, 2.5 * SECONDS)["cpu_usage"] for i, r in enumerate(readings)]


def test_cpu_ratios_count_guest_time_once_and_steal_as_busy(host):
    # Of 1000 ticks: 200 user (80 of them guest), 10 nice, 90 system, 5 irq, 5 softirq, 10 steal, 640 idle, 40 iowait.
    expected = {"cpu_usage": 0.32, "cpu_iowait": 0.04, "cpu_steal": 0.01}
    assert host.values(Cpu()) == pytest.approx(expected, abs=1e-12)


def test_cpu_usage_is_right_where_time_moved_from_iowait_to_idle():
    source = Cpu()
    source.compute(reading(user=100, idle=100, iowait=50), 0.0, math.inf)
    values = source.compute(reading(user=101, idle=106, iowait=48), 5.0, math.inf)
    assert values == {"cpu_usage": pytest.approx(0.2), "cpu_iowait": None, "cpu_steal": 0.0}


def test_cpu_metrics_of_kinds_that_the_kernel_lacks_are_missing(proc):
    source = Cpu()
    for at, line in ((0.0, "cpu  100 0 0 100\n"), (5.0, "cpu  200 0 0 500\n")):
        (proc / "stat").write_text(f"{line}intr 1\n")
        values = source.compute(source.read(), at, math.inf)
    assert values == {"cpu_usage": pytest.approx(0.2), "cpu_iowait": None, "cpu_steal": None}


def test_cpu_iowait_is_zero_after_a_small_correction():
    source = Cpu()
    source.compute(reading(user=100, idle=100, iowait=50), 0.0, math.inf)
    values = source.compute(reading(user=101, idle=104.01, iowait=49.99), 5.0, math.inf)
    assert values == {"cpu_usage": pytest.approx(0.2), "cpu_iowait": 0.0, "cpu_steal": 0.0}


def test_cpu_usage_is_right_after_idle_time_went_back_once():
    readings = [reading(user=100 + i, idle=1000 + 4 * i) for i in range(5)]
    readings[2] = reading(user=102, idle=900)
    assert usages(*readings) == [None, pytest.approx(0.2), None, pytest.approx(0.2), pytest.approx(0.2)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("glitch", [2**63, 2**64 - 1000, -5, 10**12])
def test_cpu_usage_is_missing_during_a_glitch_of_any_kind_of_time(kind, glitch):
    readings = [reading(user=100 + i, idle=1000 + 4 * i) for i in range(5)]
    position = KINDS.index(kind)
    readings[2] = (*readings[2][:position], glitch, *readings[2][position + 1 :])
    assert usages(*readings) == [None, pytest.approx(0.2), None, pytest.approx(0.2), pytest.approx(0.2)]


@pytest.mark.parametrize("seconds", [0.0, 1.0, 20.0, 1000.0])
def test_cpu_ratios_are_missing_if_cpu_time_is_far_from_the_time_elapsed(seconds):
    before = reading(user=100, idle=1000, cpus=2)
    after = reading(user=100 + seconds / 2, idle=1000 + seconds / 2, cpus=2)
    assert usages(before, after) == [None, None]


@pytest.mark.parametrize(("before", "after"), [(2, 4), (4, 2)])
def test_cpu_usage_is_right_while_cpus_are_plugged_in_or_removed(before, after):
    usage = usages(reading(user=100, idle=100, cpus=before), reading(user=103, idle=112, cpus=after))
    assert usage == [None, pytest.approx(0.2)]


def test_cpu_usage_recovers_from_the_history_of_a_plugged_in_cpu():
    jumped = [reading(user=1000 + 2 * i, idle=9000 + 8 * i, cpus=2) for i in range(3)]
    readings = [reading(user=100, idle=100), reading(user=101, idle=104), *jumped]
    assert usages(*readings) == [None, pytest.approx(0.2), None, pytest.approx(0.2), pytest.approx(0.2)]


def test_cpu_read_finds_the_line_wherever_it_is(proc):
    (proc / "stat").write_text("intro 9 9 9 9 9\ncpu  1 2 3 4\ncpu0 1 2 3 4\ncpu1 0 0 0 0\nbtime 1\n")
    assert Cpu().read() == (1, 2, 3, 4, 0, 0, 0, 0, 2)


def test_cpu_read_of_a_table_without_single_cpus_uses_the_count_of_the_system(proc, monkeypatch):
    monkeypatch.setattr(cpu_module.os, "cpu_count", lambda: 3)
    (proc / "stat").write_text("cpu  1 2 3 4 5 6 7 8 9 10\n")
    assert Cpu().read()[-1] == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n",
        "cpu  1 2 3 4 5 6 7 8",
        "cpu  1 2 3\n",
        "cpu  1 2 nan 4 5\n",
        "cpu  1 2 3.5 4 5\n",
        "cpu0 1 2 3 4 5\n",
        "\x00\x00\x00",
    ],
)
def test_cpu_read_fails_for_a_table_without_usable_times(proc, text):
    (proc / "stat").write_text(text)
    with pytest.raises(ValueError, match=r"stat|invalid"):
        Cpu().read()


TIMES = st.lists(st.one_of(st.integers(0, 10**5), st.integers(-(2**70), 2**70)), min_size=8, max_size=8)


@given(st.lists(st.tuples(TIMES, st.integers(1, 512)), min_size=2, max_size=6))
def test_cpu_ratios_are_missing_or_ratios_for_any_times(readings):
    source = Cpu()
    for i, (times, cpus) in enumerate(readings):
        values = source.compute((*times, cpus), SECONDS * i, 2.5 * SECONDS)
        usage, steal = values["cpu_usage"], values["cpu_steal"]
        assert usage is None or 0 <= usage <= 1.01
        assert steal is None or 0 <= steal <= 1.01


@given(busy=st.integers(0, 500), iowait=st.integers(0, 500))
def test_cpu_usage_is_the_busy_share_of_one_cpu(busy, iowait):
    waiting = min(iowait, 500 - busy)
    before = [10_000] * 8
    after = list(before)
    after[0] += busy
    after[IOWAIT] += waiting
    after[IDLE] += 500 - busy - waiting
    source = Cpu()
    source.compute((*before, 1), 0.0, math.inf)
    values = source.compute((*after, 1), 5.0, math.inf)
    assert values == {
        "cpu_usage": pytest.approx(busy / 500),
        "cpu_iowait": pytest.approx(waiting / 500),
        "cpu_steal": 0.0,
    }

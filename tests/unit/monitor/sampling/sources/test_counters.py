"""Increases of counters: glitches, resets and devices that come and go."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sampling.sources.counters import FORGET_AFTER, CounterMeter, Step, limited_increase

pytestmark = pytest.mark.unit

INTERVAL = 5.0
MAX_AGE = 2.5 * INTERVAL
LIMIT = 1e9
"""Largest rate of the counters, per second."""

HIGH = 10**12
"""Count of a device that has been in use for long."""


def increase(_, earlier, later, seconds):
    return limited_increase(earlier, later, (LIMIT * seconds,) * len(earlier))


def rates(readings, max_age=MAX_AGE):
    """Return the rate of the first counter of one device at each reading; None where it is missing."""
    meter = CounterMeter(increase)
    steps = [meter.update({"eth0": counts}, INTERVAL * i, max_age).get("eth0") for i, counts in enumerate(readings)]
    return [None if step is None else step.rate(0) for step in steps]


def steady(n, start=HIGH, rate=100):
    """Return n readings of two counters that increase steadily."""
    return [(start + round(rate * INTERVAL * i), 7 + i) for i in range(n)]


def test_meter_has_rates_from_the_second_reading():
    assert rates(steady(4)) == [None, 100.0, 100.0, 100.0]


@pytest.mark.parametrize(
    "glitch",
    [
        (0, 0),
        (2**64 - 10_000, 9),
        (2**63, 9),
        (-1, 9),
        (5, 9),
        (HIGH + 10**13, 9),
        (2**32 - 1, 2**32 - 1),
    ],
    ids=["zero", "2^64-k", "2^63", "negative", "small", "jump", "32 bits"],
)
def test_meter_has_no_rate_during_a_glitch_and_the_right_one_afterwards(glitch):
    readings = steady(6)
    readings[2] = glitch
    assert rates(readings) == [None, 100.0, None, 100.0, 100.0, 100.0]


@pytest.mark.parametrize("zeros", range(1, 10))
def test_meter_has_no_spike_after_any_number_of_zero_readings(zeros):
    readings = [*steady(2), *[(0, 0)] * zeros, *steady(zeros + 6)[2 + zeros :]]
    result = rates(readings)
    assert set(result) <= {None, 0.0, 100.0}
    assert result[-2:] == [100.0, 100.0]


@pytest.mark.parametrize("restart", [(0, 0), (1_000, 3)])
def test_meter_recovers_within_two_readings_of_a_reset(restart):
    restarted = [(restart[0] + round(40 * INTERVAL * i), restart[1] + i) for i in range(4)]
    assert rates([*steady(3), *restarted]) == [None, 100.0, 100.0, None, 40.0, 40.0, 40.0]


def test_meter_continues_after_a_counter_of_32_bits_has_wrapped():
    readings = [((2**32 - 1_000 + 500 * i) % 2**32, i) for i in range(6)]
    assert rates(readings) == [None, 100.0, None, 100.0, 100.0, 100.0]


def test_meter_follows_an_idle_device_after_a_reset():
    assert rates([*steady(2), (0, 0), (0, 0), (0, 0), (0, 0), (500, 0)])[-3:] == [0.0, 0.0, 100.0]


def test_meter_accepts_a_lasting_jump_from_its_second_reading():
    jumped = [(HIGH + 10**13 + 500 * i, 9 + i) for i in range(3)]
    assert rates([*steady(2), *jumped]) == [None, 100.0, None, 100.0, 100.0]


def test_meter_has_no_rate_across_a_gap():
    meter = CounterMeter(increase)
    meter.update({"eth0": (100,)}, 0.0, MAX_AGE)
    assert meter.update({"eth0": (200,)}, 60.0, MAX_AGE) == {}
    assert meter.update({"eth0": (300,)}, 65.0, MAX_AGE) == {"eth0": Step((100,), 5.0)}


def test_meter_has_no_rate_with_an_age_of_zero_and_takes_the_reading_over():
    meter = CounterMeter(increase)
    meter.update({"eth0": (100,)}, 0.0, MAX_AGE)
    assert meter.update({"eth0": (200,)}, 5.0, 0.0) == {}
    assert meter.update({"eth0": (300,)}, 10.0, MAX_AGE) == {"eth0": Step((100,), 5.0)}


def test_meter_tells_an_unknown_increase_from_a_new_device():
    meter = CounterMeter(increase)
    meter.update({"eth0": (HIGH,)}, 0.0, MAX_AGE)
    assert meter.update({"eth0": (0,), "eth1": (5,)}, 5.0, MAX_AGE) == {"eth0": None}


def test_meter_leaves_out_a_device_whose_counters_stay_impossible():
    meter = CounterMeter(increase)
    meter.update({"eth0": (HIGH,), "eth1": (0,)}, 0.0, MAX_AGE)
    steps = [meter.update({"eth0": (2**63,), "eth1": (i,)}, INTERVAL * i, MAX_AGE) for i in range(1, 4)]
    assert [step.keys() for step in steps] == [{"eth0", "eth1"}, {"eth0", "eth1"}, {"eth1"}]


def test_meter_has_the_right_rate_of_a_device_that_was_missing_once():
    meter = CounterMeter(increase)
    meter.update({"eth0": (100,)}, 0.0, MAX_AGE)
    assert meter.update({}, 5.0, MAX_AGE) == {}
    assert meter.update({"eth0": (1100,)}, 10.0, MAX_AGE) == {"eth0": Step((1000,), 10.0)}


def test_meter_forgets_a_device_that_has_disappeared():
    meter = CounterMeter(increase)
    meter.update({"eth0": (HIGH,)}, 0.0, MAX_AGE)
    meter.update({}, FORGET_AFTER + 1, MAX_AGE)
    assert meter.update({"eth0": (0,)}, FORGET_AFTER + 6, math.inf) == {}


def test_meter_has_no_rate_for_two_readings_at_the_same_time():
    meter = CounterMeter(increase)
    meter.update({"eth0": (100,)}, 0.0, MAX_AGE)
    assert meter.update({"eth0": (200,)}, 0.0, MAX_AGE) == {"eth0": None}
    assert meter.update({"eth0": (600,)}, 5.0, MAX_AGE) == {"eth0": Step((500,), 5.0)}


COUNTS = st.one_of(
    st.integers(-(2**70), 2**70), st.integers(0, 10**6), st.sampled_from([0, 2**31, 2**32 - 1, 2**63, 2**64 - 1])
)


@given(st.lists(st.tuples(COUNTS, COUNTS), max_size=12), st.lists(st.floats(0, 100), min_size=12, max_size=12))
def test_meter_rates_are_finite_and_within_the_limit_for_any_counts(readings, pauses):
    meter = CounterMeter(increase)
    at = 1000.0
    for counts, pause in zip(readings, pauses, strict=False):
        at += pause
        step = meter.update({"eth0": counts}, at, MAX_AGE).get("eth0")
        if step is not None:
            assert 0 < step.seconds <= MAX_AGE
            assert all(0 <= step.rate(i) <= LIMIT * 1.0001 for i in range(2))


@given(
    increments=st.lists(st.integers(0, 10**8), min_size=8, max_size=8),
    position=st.integers(1, 5),
    glitch=st.one_of(st.just(0), st.integers(0, HIGH // 2), st.integers(2**63, 2**65), st.integers(max_value=-1)),
)
def test_meter_rates_after_a_glitch_are_those_without_it(increments, position, glitch):
    counts = [HIGH + sum(increments[:i]) for i in range(8)]
    readings = [(count, count) for count in counts]
    clean = rates(readings)
    readings[position] = (glitch, glitch)
    result = rates(readings)
    assert result[position] is None
    mean_over_glitch = (counts[position + 1] - counts[position - 1]) / (2 * INTERVAL)
    assert result[position + 1] == pytest.approx(mean_over_glitch)
    assert result[position + 2 :] == clean[position + 2 :]


@given(
    fallen=st.lists(st.integers(0, 10**8), min_size=1, max_size=6),
    level=st.integers(2 * 10**9, 5 * 10**9),
    returned=st.integers(-(10**9), 10**9),
)
def test_meter_never_counts_the_return_from_a_fall_as_increase(fallen, level, returned):
    counts = [level, level + 500]
    counts += [sum(fallen[: i + 1]) for i in range(len(fallen))]
    counts += [level + returned + 500 * i for i in range(3)]
    result = rates([(count, count) for count in counts])
    assert max(rate for rate in result if rate is not None) <= 10**8 / INTERVAL
    assert result[-1] == 100.0


@given(st.integers(0, HIGH // 2), st.lists(st.integers(1, 10**8), min_size=3, max_size=6))
def test_meter_recovers_within_two_readings_of_any_reset(restart, increments):
    restarted = [restart + sum(increments[:i]) for i in range(len(increments) + 1)]
    result = rates([*steady(3), *((count, count) for count in restarted)])
    assert result[3] is None
    assert result[4:] == [step / INTERVAL for step in increments]

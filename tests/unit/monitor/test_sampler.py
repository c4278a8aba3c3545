"""Each source alone, rates over the monotonic clock, and nothing impossible in a sample."""

import errno
import logging

import psutil
import pytest

from monitor.sampling.sampler import Sampler, validated_value
from monitor.sampling.sources import SOURCES, make_sources
from storage import SAMPLE_FIELDS

pytestmark = pytest.mark.unit


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Counter:
    """A source whose counter the test sets."""

    name, fields = "network", ("network_receive", "network_transmit")
    value = 0.0
    error = None

    def read(self):
        if self.error:
            raise self.error
        return self.value

    def rates(self, before, after, seconds):
        rate = None if before is None else (after - before) / seconds
        return {"network_receive": rate, "network_transmit": None}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def counter():
    return Counter()


@pytest.fixture
def sampler(clock, counter):
    return Sampler([counter], 5.0, clock=lambda: 1_700_000_000.7 + clock.now, monotonic=clock)


def turn(sampler, clock, counter, seconds=5.0, value=100.0):
    clock.now += seconds
    counter.value += value
    return sampler.sample()


def test_the_first_sample_has_no_rate_and_the_second_has(sampler, clock, counter):
    assert sampler.sample().network_receive is None
    assert turn(sampler, clock, counter).network_receive == 20.0


def test_the_first_sample_after_a_gap_has_no_rate(sampler, clock, counter):
    sampler.sample()
    assert turn(sampler, clock, counter, seconds=13.0, value=1e9).network_receive is None
    assert turn(sampler, clock, counter).network_receive == 20.0


def test_a_sample_is_of_a_whole_second(sampler):
    assert sampler.sample().at == 1_700_001_000.0


@pytest.mark.parametrize(("seconds", "missed"), [(5.0, 0), (7.4, 0), (10.0, 1), (60.0, 11)])
def test_missed_samples_are_counted(sampler, clock, counter, seconds, missed):
    sampler.sample()
    turn(sampler, clock, counter, seconds=seconds)
    assert (sampler.samples_total, sampler.samples_missed_total) == (2, missed)


def test_a_clock_that_is_set_makes_no_wrong_rate(counter, clock):
    wall = Clock()
    sampler = Sampler([counter], 5.0, clock=wall, monotonic=clock)
    sampler.sample()
    wall.now = 5.0
    assert turn(sampler, clock, counter).network_receive == 20.0
    assert sampler.samples_missed_total == 0


def test_a_source_that_fails_leaves_the_others_and_shows(clock, counter, caplog):
    cpu, broken = make_sources(["memory"])[0], counter
    sampler = Sampler([broken, cpu], 5.0, monotonic=clock)
    broken.error = OSError("interface gone")
    for _ in range(3):
        sample = sampler.sample()
        clock.now += 5
    assert sample.network_receive is None
    assert sample.memory_usage is not None
    assert sampler.states["network"].error == "OSError: interface gone"
    assert not sampler.states["network"].success
    assert sampler.states["memory"].success
    assert caplog.text.count("source failed") == 1


def test_after_one_failed_turn_the_rate_is_over_the_time_since_the_last_good_reading(sampler, clock, counter):
    sampler.sample()
    counter.error = OSError("gone")
    assert turn(sampler, clock, counter).network_receive is None
    counter.error = None
    # 200 in the 10 s since
    assert turn(sampler, clock, counter).network_receive == 20.0


def test_a_source_that_failed_for_long_starts_without_a_rate(sampler, clock, counter):
    sampler.sample()
    counter.error = OSError("gone")
    turn(sampler, clock, counter)
    turn(sampler, clock, counter)
    counter.error = None
    assert turn(sampler, clock, counter).network_receive is None
    assert turn(sampler, clock, counter).network_receive == 20.0


def test_a_source_that_is_back_is_logged_once(sampler, clock, counter, caplog):
    caplog.set_level(logging.INFO, logger="monitor.sampling.sampler")
    counter.error = OSError("gone")
    sampler.sample()
    counter.error = None
    for _ in range(3):
        turn(sampler, clock, counter)
    assert [record.message for record in caplog.records] == ["source failed", "source recovered"]
    assert caplog.records[0].fields == {"source": "network", "error": "OSError: gone"}


def test_a_reading_that_no_rate_can_be_made_of_is_forgotten(sampler, clock, counter):
    sampler.sample()
    counter.value = "garbage"
    clock.now += 5
    assert sampler.sample().network_receive is None
    counter.value = 0.0
    assert turn(sampler, clock, counter).network_receive is None
    assert turn(sampler, clock, counter).network_receive == 20.0


def test_a_value_that_is_no_number_fails_its_source_and_not_the_sample(sampler, counter):
    counter.rates = lambda before, after, seconds: {"network_receive": "fast", "network_transmit": None}
    assert sampler.sample().network_receive is None
    assert not sampler.states["network"].success


def test_an_error_that_quotes_a_whole_file_is_kept_short(sampler, counter):
    counter.error = ValueError("x" * 100_000)
    sampler.sample()
    assert len(sampler.states["network"].error) == 200


def test_the_states_of_a_turn_do_not_change_with_the_next(sampler, clock, counter):
    sampler.sample()
    states = sampler.states
    counter.error = OSError("gone")
    turn(sampler, clock, counter)
    assert states["network"].success
    with pytest.raises(TypeError):
        states["network"] = None


def test_an_interface_that_vanishes_in_mid_call_leaves_the_other_sources(monkeypatch):
    def vanish(**_):
        raise OSError(errno.ENODEV, "No such device")

    sampler = Sampler(make_sources(["network", "memory"]), 5.0)
    monkeypatch.setattr(psutil, "net_io_counters", vanish)
    sample = sampler.sample()
    assert (sample.network_receive, sampler.states["network"].success) == (None, False)
    assert sample.memory_usage is not None


@pytest.mark.parametrize("text", ["garbage", "", "cpu  x y z\n"])
def test_garbage_in_proc_is_a_missing_value(monkeypatch, tmp_path, text):
    for name in ("stat", "meminfo", "loadavg", "diskstats"):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    sampler = Sampler(make_sources(tuple(SOURCES)), 5.0)
    sampler.sample()
    sample = sampler.sample()
    assert all(getattr(sample, name) in (None, 0.0) for name in SAMPLE_FIELDS if not name.startswith("disk"))
    assert sample.cpu_usage is None
    assert not sampler.states["cpu"].success


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("cpu_usage", 0.5, 0.5),
        ("cpu_usage", 1.0000001, 1.0),
        ("cpu_usage", 1.1, None),
        ("cpu_usage", -0.1, None),
        ("memory_usage", -1e-9, 0.0),
        ("load_per_cpu", 7.0, 7.0),
        ("network_receive", 1e9, 1e9),
        ("network_receive", float("inf"), None),
        ("disk_busy", float("nan"), None),
        ("swap_usage", None, None),
    ],
)
def test_an_impossible_value_is_missing(name, value, expected):
    assert validated_value(name, value) == expected


def test_the_real_host_has_figures_in_range():
    sampler = Sampler(make_sources(tuple(SOURCES)), 1.0)
    sampler.sample()
    for _ in range(50):
        sample = sampler.sample()
        if sample.cpu_usage is not None:
            break
        # the kernel counts in hundredths of a second
        sum(range(300_000))
    assert 0 <= sample.cpu_usage <= 1
    assert 0 < sample.memory_usage < 1

"""Sampler: independent sources, rates over the monotonic clock, validated values."""

import errno
import logging

import pytest

from monitor.sampling.sampler import MAX_ERROR_LENGTH, Sampler
from monitor.sampling.sources import SOURCES, make_sources, network, procfs
from storage import SAMPLE_FIELDS

pytestmark = pytest.mark.unit


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class CounterSource:
    """A source with a counter that the test sets."""

    name = "network"
    fields = ("network_receive", "network_transmit")
    optional = False

    def __init__(self):
        self.counter = 0.0
        self.error = None
        self.previous = None

    def read(self):
        if self.error:
            raise self.error
        return self.counter

    def compute(self, reading, at, max_age):
        previous, self.previous = self.previous, (reading, at)
        recent = previous is not None and 0 < at - previous[1] <= max_age
        rate = (reading - previous[0]) / (at - previous[1]) if recent else None
        return {"network_receive": rate, "network_transmit": None}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def source():
    return CounterSource()


@pytest.fixture
def sampler(clock, source):
    return Sampler([source], 5.0, clock=lambda: 1_700_000_000.7 + clock.now, monotonic=clock)


def next_rate(sampler, clock, source, seconds=5.0, increase=100.0):
    """Sample after some time and return the rate of the counter."""
    clock.now += seconds
    source.counter += increase
    return sampler.sample().network_receive


def test_sampler_has_rates_from_the_second_sample(sampler, clock, source):
    assert sampler.sample().network_receive is None
    assert next_rate(sampler, clock, source) == 20.0


def test_changed_sources_keep_counters_and_the_readings_of_kept_sources(sampler, clock, source):
    other = CounterSource()
    other.name, other.fields = "disk", ("disk_read",)
    other.compute = lambda *_: {"disk_read": 7.0}
    sampler.sample()
    sampler.use([source, other], 5.0)
    assert next_rate(sampler, clock, source) == 20.0
    assert set(sampler.states) == {"network", "disk"}
    sampler.use([other], 5.0)
    clock.now += 5.0
    assert sampler.sample().network_receive is None
    assert set(sampler.states) == {"disk"}
    assert (sampler.samples_total, sampler.samples_missed_total) == (3, 0)


@pytest.mark.parametrize("interval", [1.0, 60.0])
def test_changed_interval_counts_no_missed_sample(sampler, clock, source, interval):
    sampler.sample()
    sampler.use([source], interval)
    clock.now += max(5.0, interval)
    sampler.sample()
    assert sampler.samples_missed_total == 0
    clock.now += 3 * interval
    sampler.sample()
    assert sampler.samples_missed_total == 2


def test_sampler_has_no_rate_after_a_gap(sampler, clock, source):
    sampler.sample()
    assert next_rate(sampler, clock, source, seconds=13.0, increase=1e9) is None
    assert next_rate(sampler, clock, source) == 20.0


def test_sampler_rounds_time_to_whole_seconds(sampler):
    assert sampler.sample().at == 1_700_001_000.0


def test_sampler_rounds_time_to_milliseconds_at_intervals_below_a_second(clock, source):
    assert Sampler([source], 0.2, clock=lambda: 1_700_000_000.7654, monotonic=clock).sample().at == 1_700_000_000.765


@pytest.mark.parametrize(("seconds", "missed"), [(5.0, 0), (7.4, 0), (10.0, 1), (60.0, 11)])
def test_sampler_counts_missed_samples(sampler, clock, source, seconds, missed):
    sampler.sample()
    next_rate(sampler, clock, source, seconds=seconds)
    assert (sampler.samples_total, sampler.samples_missed_total) == (2, missed)


def test_sampler_rate_is_independent_of_the_wall_clock(clock, source):
    wall_clock = Clock()
    sampler = Sampler([source], 5.0, clock=wall_clock, monotonic=clock)
    sampler.sample()
    wall_clock.now = 5.0
    assert next_rate(sampler, clock, source) == 20.0
    assert sampler.samples_missed_total == 0


def test_sampler_keeps_other_sources_and_logs_once_if_one_fails(clock, source, caplog):
    (memory,) = make_sources(["memory"])
    sampler = Sampler([source, memory], 5.0, monotonic=clock)
    source.error = OSError("interface gone")
    for _ in range(3):
        sample = sampler.sample()
        clock.now += 5
    assert sample.network_receive is None
    assert sample.memory_usage is not None
    assert not sampler.states["network"].success
    assert sampler.states["network"].error == "OSError: interface gone"
    assert sampler.states["memory"].success
    assert [record.message for record in caplog.records] == ["source failed"]


def test_sampler_rate_spans_one_failed_reading(sampler, clock, source):
    sampler.sample()
    source.error = OSError("gone")
    assert next_rate(sampler, clock, source) is None
    source.error = None
    assert next_rate(sampler, clock, source) == 20.0


def test_sampler_has_no_rate_across_several_failed_readings(sampler, clock, source):
    sampler.sample()
    source.error = OSError("gone")
    next_rate(sampler, clock, source)
    next_rate(sampler, clock, source)
    source.error = None
    assert next_rate(sampler, clock, source) is None
    assert next_rate(sampler, clock, source) == 20.0


def test_sampler_logs_recovery_of_source_once(sampler, clock, source, caplog):
    caplog.set_level(logging.INFO, logger="monitor.sampling.sampler")
    source.error = OSError("gone")
    sampler.sample()
    source.error = None
    for _ in range(3):
        next_rate(sampler, clock, source)
    assert [record.message for record in caplog.records] == ["source failed", "source recovered"]
    assert caplog.records[0].fields == {"source": "network", "error": "OSError: gone", "failures": 1}


def test_sampler_fails_source_whose_value_is_not_a_number(sampler, source):
    source.compute = lambda reading, at, max_age: {"network_receive": "fast", "network_transmit": None}
    assert sampler.sample().network_receive is None
    assert not sampler.states["network"].success


def test_sampler_fails_source_without_any_value_from_its_second_reading(clock):
    class Silent(CounterSource):
        def compute(self, reading, at, max_age):
            return dict.fromkeys(self.fields)

    sampler = Sampler([Silent()], 5.0, monotonic=clock)
    successes = []
    for _ in range(2):
        sampler.sample()
        successes.append(sampler.states["network"].success)
        clock.now += 5
    assert successes == [True, False]
    assert sampler.states["network"].error == "NoValuesError: no plausible value"


def test_sampler_fails_source_whose_values_are_all_impossible(sampler, source):
    source.compute = lambda reading, at, max_age: {"network_receive": -5.0, "network_transmit": None}
    assert sampler.sample().network_receive is None
    assert sampler.states["network"].error == "NoValuesError: no plausible value: network_receive -5"


def test_sampler_accepts_optional_source_without_any_value(clock, source):
    source.optional = True
    source.compute = lambda reading, at, max_age: dict.fromkeys(source.fields)
    sampler = Sampler([source], 5.0, monotonic=clock)
    for _ in range(3):
        sampler.sample()
        clock.now += 5
    assert sampler.states["network"].success


def test_sampler_logs_failure_that_comes_and_goes_once_per_minute(sampler, clock, source, caplog):
    for i in range(24):
        source.error = OSError("flapping") if i % 2 else None
        next_rate(sampler, clock, source)
    failures = [record for record in caplog.records if record.message == "source failed"]
    assert [record.fields["failures"] for record in failures] == [1, 6]


def test_sampler_logs_lasting_failure_once_per_hour(sampler, clock, source, caplog):
    source.error = OSError("gone")
    for _ in range(1000):
        next_rate(sampler, clock, source)
    assert [record.fields["failures"] for record in caplog.records] == [1, 721]


def test_sampler_has_no_rate_across_a_suspend_and_counts_no_missed_sample(source):
    clock = Clock()
    boot = Clock()
    sampler = Sampler([source], 5.0, monotonic=clock, boot=boot)
    rates = []
    for slept in (0, 0, 3600, 0, 0):
        clock.now += 5
        boot.now += 5 + slept
        source.counter += 100
        rates.append(sampler.sample().network_receive)
    assert rates == [None, 20.0, None, 20.0, 20.0]
    assert sampler.samples_missed_total == 0
    assert sampler.states["network"].success


def test_sampler_fails_cpu_times_of_zeros(monkeypatch, tmp_path):
    zeros = " ".join("0" * 10)
    (tmp_path / "stat").write_text(f"cpu  {zeros}\ncpu0 {zeros}\nintr 0\n")
    monkeypatch.setattr(procfs, "PROCFS", str(tmp_path))
    sampler = Sampler(make_sources(["cpu"]), 5.0)
    assert sampler.sample().cpu_usage is None
    assert sampler.states["cpu"].error == "ValueError: all CPU times in stat are 0"


def test_sampler_shortens_long_errors(sampler, source):
    source.error = ValueError("x" * 100_000)
    sampler.sample()
    assert len(sampler.states["network"].error) == MAX_ERROR_LENGTH


def test_sampler_states_are_an_immutable_snapshot(sampler, clock, source):
    sampler.sample()
    states = sampler.states
    source.error = OSError("gone")
    next_rate(sampler, clock, source)
    assert states["network"].success
    with pytest.raises(TypeError):
        states["network"] = None


def test_sampler_survives_interface_that_disappears_during_read(monkeypatch):
    def disappear(*_, **__):
        raise OSError(errno.ENODEV, "No such device")

    sampler = Sampler(make_sources(["network", "memory"]), 5.0)
    monkeypatch.setattr(network, "read_whole_proc", disappear)
    sample = sampler.sample()
    assert (sample.network_receive, sampler.states["network"].success) == (None, False)
    assert sample.memory_usage is not None


@pytest.mark.parametrize("text", ["garbage", "", "cpu  x y z\n"])
def test_sampler_reads_malformed_proc_files_as_missing_values(monkeypatch, tmp_path, text):
    for name in ("stat", "meminfo", "loadavg", "diskstats"):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(procfs, "PROCFS", str(tmp_path))
    sampler = Sampler(make_sources(tuple(SOURCES)), 5.0)
    sampler.sample()
    sample = sampler.sample()
    assert all(getattr(sample, name) is None for name in SAMPLE_FIELDS)
    assert not any(state.success for state in sampler.states.values())


def test_sampler_has_plausible_values_of_this_host():
    sampler = Sampler(make_sources(tuple(SOURCES)), 1.0)
    sampler.sample()
    for _ in range(50):
        sample = sampler.sample()
        if sample.cpu_usage is not None:
            break
        # The kernel counts CPU time in hundredths of a second.
        sum(range(300_000))
    assert 0 <= sample.cpu_usage <= 1
    assert 0 < sample.memory_usage < 1

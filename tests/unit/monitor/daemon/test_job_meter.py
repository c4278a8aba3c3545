"""Tests of the meter of a job."""

import threading

import pytest

from monitor.daemon.job_meter import JobMeter, thread_stack

pytestmark = pytest.mark.unit


@pytest.fixture
def meter(clock):
    return JobMeter(interval=60.0, deadline=10.0, monotonic=clock)


def run(meter, clock, seconds, delay=0.0, *, failed=False):
    meter.begin_run()
    clock.now += seconds
    meter.end_run(delay, failed=failed)


def test_meter_counts_durations_in_cumulative_buckets(meter, clock):
    clock.now = 0.0
    for seconds in (0.0005, 0.0005, 0.3, 99.0):
        run(meter, clock, seconds, 2.0, failed=seconds > 1)
    state = meter.state()
    assert (state.runs, state.failures) == (4, 1)
    assert state.duration.sum_seconds == pytest.approx(99.301)
    assert dict(state.delay.buckets)["2.5"] == 4
    buckets = dict(state.duration.buckets)
    assert (buckets["0.001"], buckets["0.1"], buckets["0.5"], buckets["+Inf"]) == (2, 2, 3, 4)


def test_meter_adds_up_the_processor_time_of_the_runs(meter, monkeypatch):
    times = iter((1.0, 1.25, 7.0, 7.5))
    monkeypatch.setattr("monitor.daemon.job_meter.time.thread_time", lambda: next(times))
    for failed in (False, True):
        meter.begin_run()
        meter.end_run(0.0, failed=failed)
    assert meter.state().cpu_seconds == 0.75


def test_meter_states_the_time_of_the_last_success(meter, clock, monkeypatch):
    monkeypatch.setattr("monitor.daemon.job_meter.wall_time", lambda: 5e9 + clock.now)
    assert meter.state().last_success_at is None
    run(meter, clock, 1.0)
    run(meter, clock, 1.0, failed=True)
    assert meter.state().last_success_at == 5e9 + 1001.0


def test_job_is_hung_once_a_run_exceeds_its_deadline(meter, clock):
    meter.begin_run()
    clock.now += 10.0
    assert not meter.state().hung
    clock.now += 0.1
    assert meter.state().hung
    meter.end_run(0.0, failed=False)
    assert not meter.state().hung


def test_job_is_hung_if_no_run_starts_for_its_interval_and_deadline(meter, clock):
    run(meter, clock, 1.0)
    clock.now += 70.0
    assert (meter.state().hung, meter.overdue()) == (False, 1.0)
    clock.now += 40.0
    assert (meter.state().hung, meter.overdue()) == (True, 5.0)
    meter.restart(60.0, 20.0)
    assert (meter.state().hung, meter.state().runs) == (False, 1)


def test_stack_ends_with_the_function_in_which_the_run_waits(meter):
    waits, release = threading.Event(), threading.Event()

    def hanging_function():
        meter.begin_run()
        waits.set()
        release.wait()

    thread = threading.Thread(target=hanging_function)
    thread.start()
    waits.wait()
    try:
        stack = meter.stack().split(" > ")
        assert any(frame.endswith(" hanging_function") for frame in stack)
        assert stack[-1].startswith("threading:")
    finally:
        release.set()
        thread.join()


def test_stack_of_an_ended_thread_is_empty(meter):
    assert meter.stack() == ""
    assert thread_stack(-1) == ""


def test_job_that_hangs_has_the_start_of_its_run(meter, clock, monkeypatch):
    monkeypatch.setattr("monitor.daemon.job_meter.wall_time", lambda: 1000.0)
    assert meter.state().hung_since is None
    meter.begin_run()
    clock.now += 31.0
    assert meter.state().hung_since == 1000.0 - 31.0


def test_meter_returns_the_same_snapshot_until_a_counter_changes(meter, clock):
    first = meter.state()
    clock.now += 1.0
    assert meter.state() is first
    meter.add_missed()
    assert meter.state().missed == 1
    run(meter, clock, 0.5)
    second = meter.state()
    assert second.runs == 1
    assert meter.state() is second
    clock.now += 1000.0
    assert meter.state().hung
    run(meter, clock, 0.5)
    assert not meter.state().hung

"""Tests of the scheduler of periodic jobs."""

import threading
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from monitor.daemon.scheduler import AlignedTrigger, Job, JobMeter, Scheduler
from monitor.system.clocks import ClockChange

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("now", "following"), [(100.0, 105.0), (101.2, 105.0), (104.999, 105.0)])
def test_trigger_fires_at_multiples_of_interval(now, following):
    trigger = AlignedTrigger(5.0)
    fire_time = trigger.get_next_fire_time(None, datetime.fromtimestamp(now, UTC))
    assert fire_time.timestamp() == following


def test_trigger_skips_times_missed_by_clock_step():
    trigger = AlignedTrigger(1.0)
    before = datetime.fromtimestamp(0, UTC)
    assert trigger.get_next_fire_time(before, datetime.fromtimestamp(315_360_000.5, UTC)).timestamp() == 315_360_001


def test_job_meter_counts_durations_in_cumulative_buckets():
    meter = JobMeter()
    for seconds in (0.0005, 0.001, 0.3, 99.0):
        meter.add_run(seconds, 2.0, failed=seconds > 1)
    state = meter.state()
    assert (state.runs, state.failures) == (4, 1)
    assert state.duration.sum_seconds == pytest.approx(99.3015)
    assert dict(state.delay.buckets)["2.5"] == 4
    buckets = dict(state.duration.buckets)
    assert (buckets["0.001"], buckets["0.1"], buckets["0.5"], buckets["+Inf"]) == (2, 2, 3, 4)


@pytest.fixture
def scheduler():
    schedulers = []

    def make(*jobs):
        schedulers.append(Scheduler(jobs))
        schedulers[0].start()
        return schedulers[0]

    yield make
    schedulers[0].close()


def test_scheduler_counts_failed_job_and_runs_it_again(scheduler):
    runs = threading.Semaphore(0)

    def broken():
        runs.release()
        raise RuntimeError("broken")

    running = scheduler(Job("broken", 0.05, broken))
    assert runs.acquire(timeout=5)
    assert runs.acquire(timeout=5)
    assert running.states()["broken"].failures >= 1


def test_scheduler_isolates_sampler_from_hanging_jobs_and_counts_missed_runs(scheduler):
    release, sampled = threading.Event(), threading.Semaphore(0)
    running = scheduler(
        Job("sample", 0.05, sampled.release, executor="sampler"),
        Job("hangs", 0.05, lambda: release.wait(10)),
        Job("hangs too", 0.05, lambda: release.wait(10)),
    )
    try:
        for _ in range(5):
            assert sampled.acquire(timeout=5)
        assert running.states()["hangs"].missed > 0
        assert running.states()["hangs"].runs == 0
    finally:
        release.set()


def test_scheduler_reschedules_jobs_after_clock_step(scheduler, monkeypatch, caplog):
    ran = threading.Semaphore(0)
    running = scheduler(Job("job", 0.05, ran.release))
    assert ran.acquire(timeout=5)
    real = time.time
    monkeypatch.setattr("monitor.daemon.scheduler.time.time", lambda: real() - 60)
    running.follow_clock()
    assert "clock step detected" in caplog.text
    while ran.acquire(blocking=False):
        pass
    assert ran.acquire(timeout=5)


class Clocks:
    """Comparison of clocks that the test sets."""

    def __init__(self):
        self.changes = []

    def pending(self):
        return self.changes[-1] if self.changes else ClockChange(step=0.0, suspended=0.0)

    def update(self):
        return self.changes.pop() if self.changes else ClockChange(step=0.0, suspended=0.0)


@pytest.mark.parametrize(
    ("change", "events"),
    [
        (ClockChange(step=0.0, suspended=0.0), []),
        (ClockChange(step=-60.0, suspended=0.0), [("clock step detected", {"step_seconds": -60.0})]),
        (ClockChange(step=0.0, suspended=3600.0), [("machine resumed", {"suspended_seconds": 3600.0})]),
    ],
    ids=["none", "step", "suspend"],
)
def test_scheduler_logs_clock_step_and_suspend_as_different_events(change, events, caplog):
    caplog.set_level("INFO", "monitor.daemon.scheduler")
    clocks = Clocks()
    clocks.changes.append(change)
    running = Scheduler([Job("job", 3600.0, lambda: None)], clocks)
    running.start()
    running.follow_clock()
    running.close()
    assert [(record.message, record.fields) for record in caplog.records if hasattr(record, "fields")] == events


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        (ClockChange(step=0.0, suspended=0.0), 1),
        (ClockChange(step=3600.0, suspended=0.0), 0),
        (ClockChange(step=0.0, suspended=3600.0), 0),
    ],
    ids=["none", "step", "suspend"],
)
def test_scheduler_counts_no_run_as_missed_whose_time_passed_in_a_suspend_or_a_step(change, missed):
    clocks = Clocks()
    clocks.changes.append(change)
    running = Scheduler([Job("job", 3600.0, lambda: None)], clocks)
    running._count_missed(SimpleNamespace(job_id="job"))
    assert running.states()["job"].missed == missed


def test_close_returns_false_for_hanging_job():
    release, hangs = threading.Event(), threading.Event()

    def hang():
        hangs.set()
        release.wait(10)

    scheduler = Scheduler([Job("hangs", 0.05, hang)])
    scheduler.start()
    assert hangs.wait(5)
    assert scheduler.close(patience=0.05) is False
    release.set()


def test_close_waits_for_running_job():
    began, ended = threading.Event(), threading.Event()

    def work():
        began.set()
        time.sleep(0.1)
        ended.set()

    scheduler = Scheduler([Job("work", 0.05, work)])
    scheduler.start()
    assert began.wait(5)
    assert scheduler.close(patience=5.0) is True
    assert ended.is_set()

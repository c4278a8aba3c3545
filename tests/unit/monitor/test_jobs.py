"""Jobs run aligned, one that raises runs again, and a jump of the clock costs one turn."""

import threading
import time
from datetime import UTC, datetime

import pytest

from monitor.daemon.scheduler import AlignedTrigger, Job, JobMeter, Scheduler

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("now", "following"), [(100.0, 105.0), (101.2, 105.0), (104.999, 105.0)])
def test_turns_are_whole_multiples_of_the_interval(now, following):
    trigger = AlignedTrigger(5.0)
    found = trigger.get_next_fire_time(None, datetime.fromtimestamp(now, UTC))
    assert found.timestamp() == following


def test_ten_years_ahead_is_one_turn():
    trigger = AlignedTrigger(1.0)
    before = datetime.fromtimestamp(0, UTC)
    assert trigger.get_next_fire_time(before, datetime.fromtimestamp(315_360_000.5, UTC)).timestamp() == 315_360_001


def test_durations_fall_into_cumulative_buckets():
    meter = JobMeter()
    for seconds in (0.0005, 0.001, 0.3, 99.0):
        meter.ran(seconds, 2.0, failed=seconds > 1)
    state = meter.state()
    assert (state.runs, state.failures) == (4, 1)
    assert state.duration.seconds == pytest.approx(99.3015)
    assert dict(state.delay.buckets)["2.5"] == 4
    buckets = dict(state.duration.buckets)
    assert (buckets["0.001"], buckets["0.1"], buckets["0.5"], buckets["+Inf"]) == (2, 2, 3, 4)


@pytest.fixture
def scheduler():
    opened = []

    def make(*jobs):
        opened.append(Scheduler(jobs))
        opened[0].start()
        return opened[0]

    yield make
    opened[0].close()


def test_a_job_that_raises_is_counted_and_runs_again(scheduler):
    seen = threading.Semaphore(0)

    def broken():
        seen.release()
        raise RuntimeError("broken")

    made = scheduler(Job("broken", 0.05, broken))
    assert seen.acquire(timeout=5)
    assert seen.acquire(timeout=5)
    assert made.states()["broken"].failures >= 1


def test_a_job_that_hangs_does_not_stop_the_sampler_and_its_missed_turns_are_counted(scheduler):
    release, sampled = threading.Event(), threading.Semaphore(0)
    made = scheduler(
        Job("sample", 0.05, sampled.release, executor="sampler"),
        Job("hangs", 0.05, lambda: release.wait(10)),
        Job("hangs too", 0.05, lambda: release.wait(10)),
    )
    try:
        for _ in range(5):
            assert sampled.acquire(timeout=5)
        assert made.states()["hangs"].missed > 0
        assert made.states()["hangs"].runs == 0
    finally:
        release.set()


def test_after_the_clock_was_set_every_job_is_planned_anew(scheduler, monkeypatch, caplog):
    ran = threading.Semaphore(0)
    made = scheduler(Job("job", 0.05, ran.release))
    assert ran.acquire(timeout=5)
    real = time.time
    monkeypatch.setattr("monitor.daemon.scheduler.time.time", lambda: real() - 60)
    made.follow_clock()
    assert "clock step detected" in caplog.text
    while ran.acquire(blocking=False):
        pass
    assert ran.acquire(timeout=5)


def test_closing_does_not_wait_for_ever_for_a_job_that_hangs():
    release, hangs = threading.Event(), threading.Event()

    def hang():
        hangs.set()
        release.wait(10)

    made = Scheduler([Job("hangs", 0.05, hang)])
    made.start()
    assert hangs.wait(5)
    assert made.close(patience=0.05) is False
    release.set()


def test_closing_lets_a_running_job_end():
    began, ended = threading.Event(), threading.Event()

    def work():
        began.set()
        time.sleep(0.1)
        ended.set()

    made = Scheduler([Job("work", 0.05, work)])
    made.start()
    assert began.wait(5)
    assert made.close(patience=5.0) is True
    assert ended.is_set()

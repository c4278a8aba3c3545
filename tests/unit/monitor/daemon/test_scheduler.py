"""Tests of the scheduler of periodic jobs."""

import threading
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from model.units import DAY
from monitor.daemon.scheduler import RESTART_DEADLINES, SAMPLER, AlignedTrigger, Job, Scheduler
from monitor.system.clocks import ClockChange

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("now", "following"), [(100.0, 105.0), (101.2, 105.0), (104.999, 105.0)])
def test_trigger_fires_at_multiples_of_interval(now, following):
    trigger = AlignedTrigger(5.0)
    fire_time = trigger.get_next_fire_time(None, datetime.fromtimestamp(now, UTC))
    assert fire_time.timestamp() == following


def test_trigger_adds_its_offset():
    trigger = AlignedTrigger(60.0, 2.5)
    assert trigger.get_next_fire_time(None, datetime.fromtimestamp(62.0, UTC)).timestamp() == 62.5
    assert trigger.get_next_fire_time(None, datetime.fromtimestamp(62.5, UTC)).timestamp() == 122.5


def test_trigger_skips_times_missed_by_clock_step():
    trigger = AlignedTrigger(1.0)
    before = datetime.fromtimestamp(0, UTC)
    assert trigger.get_next_fire_time(before, datetime.fromtimestamp(315_360_000.5, UTC)).timestamp() == 315_360_001


@pytest.fixture
def scheduler():
    schedulers = []

    def make(*jobs, clocks=None):
        schedulers.append(Scheduler(jobs, clocks))
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


def test_hanging_jobs_occupy_only_their_own_threads_and_their_missed_runs_are_counted(scheduler):
    release, sampled, ran = threading.Event(), threading.Semaphore(0), threading.Semaphore(0)
    running = scheduler(
        Job("sample", 0.05, sampled.release, SAMPLER),
        Job("hangs", 0.05, lambda: release.wait(10)),
        Job("hangs too", 0.05, lambda: release.wait(10)),
        Job("runs", 0.05, ran.release),
    )
    try:
        for _ in range(5):
            assert sampled.acquire(timeout=5)
            assert ran.acquire(timeout=5)
        assert running.states()["hangs"].missed > 0
        assert running.states()["hangs"].runs == 0
    finally:
        release.set()


def test_replaced_jobs_keep_their_counters_and_wait_for_the_end_of_a_run_in_progress(scheduler):
    release, hangs, other, kept = (threading.Event(), threading.Event(), threading.Event(), threading.Semaphore(0))

    def hang():
        hangs.set()
        release.wait(10)

    unchanged = Job("kept", 0.05, kept.release)
    running = scheduler(unchanged, Job("changed", 0.05, hang))
    assert hangs.wait(5)
    assert kept.acquire(timeout=5)
    runs = running.states()["kept"].runs
    running.replace([unchanged, Job("changed", 0.06, other.set)])
    assert kept.acquire(timeout=5)
    assert kept.acquire(timeout=5)
    assert not other.is_set()
    assert running.states()["kept"].runs >= runs
    release.set()
    assert other.wait(5)
    assert running.states()["changed"].runs >= 1


def test_hung_job_is_logged_with_its_stack_and_again_when_it_ends(scheduler, caplog):
    caplog.set_level("INFO", "monitor.daemon.scheduler")
    hangs, release, ended = threading.Event(), threading.Event(), threading.Event()

    def hanging_function():
        if not release.is_set():
            hangs.set()
            release.wait(10)
        else:
            ended.set()

    running = scheduler(Job("hangs", 0.05, hanging_function, deadline=0.001))
    assert hangs.wait(5)
    while not running.needs_restart:
        time.sleep(0.001)
    assert running.states()["hangs"].hung
    running.check()
    running.check()
    release.set()
    assert ended.wait(5)
    running._meters["hangs"].restart(3600.0, 3600.0)
    running.check()
    (hung, end) = (record for record in caplog.records if record.message.startswith("job "))
    assert (hung.message, hung.fields["job"]) == ("job hung", "hangs")
    assert " hanging_function" in hung.fields["stack"]
    assert (end.message, end.fields) == ("job hang ended", {"job": "hangs"})


def test_process_needs_a_restart_only_after_several_deadlines(monkeypatch):
    running = Scheduler([Job("job", 60.0, lambda: None, deadline=10.0)])
    meter = running._meters["job"]
    for overdue, needed in ((0.0, False), (RESTART_DEADLINES, False), (RESTART_DEADLINES + 0.1, True)):
        monkeypatch.setattr(meter, "overdue", lambda overdue=overdue: overdue)
        assert running.needs_restart is needed


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
def test_scheduler_logs_clock_step_and_suspend_as_different_events(scheduler, change, events, caplog):
    caplog.set_level("INFO", "monitor.daemon.scheduler")
    clocks = Clocks()
    clocks.changes.append(change)
    ran = threading.Event()
    running = scheduler(Job("job", 0.05, ran.set), clocks=clocks)
    assert ran.wait(5)
    running.close()
    assert [(record.message, record.fields) for record in caplog.records if hasattr(record, "fields")] == events


@pytest.mark.parametrize("step", [-60.0, 0.4, 30 * DAY, 10 * 365 * DAY, 100 * 365 * DAY])
def test_sampling_cycle_runs_at_once_after_a_clock_step_and_the_other_jobs_at_their_next_time(step):
    clocks = Clocks()
    running = Scheduler(
        [Job("sample", 5.0, lambda: None, SAMPLER), Job("job", 60.0, lambda: None, offset=2.0)], clocks
    )
    running.start()
    running._scheduler.pause()
    clocks.changes.append(ClockChange(step=step, suspended=0.0))
    now = datetime.fromtimestamp(1_800_000_001.5 + step, UTC)
    running._follow_clock(now)
    due = {job.id: job.next_run_time.timestamp() for job in running._scheduler.get_jobs()}
    running.close()
    assert due["sample"] == now.timestamp()
    assert 0 < due["job"] - now.timestamp() <= 60.0
    assert due["job"] % 60.0 == 2.0


def test_check_wakes_the_scheduler_while_a_step_is_pending(monkeypatch):
    clocks = Clocks()
    running = Scheduler([Job("job", 60.0, lambda: None)], clocks)
    wakes = []
    monkeypatch.setattr(running._scheduler, "wakeup", lambda: wakes.append(1))
    running.check()
    assert wakes == []
    clocks.changes.append(ClockChange(step=-60.0, suspended=0.0))
    running.check()
    assert wakes == [1]


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


def test_close_without_resources_for_a_thread_does_not_wait(monkeypatch):
    scheduler = Scheduler([Job("job", 60.0, lambda: None)])
    scheduler.start()

    def fail(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        assert scheduler.close() is False

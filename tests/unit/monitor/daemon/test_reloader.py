"""Tests of the reloader."""

import threading

import pytest

from monitor.daemon.reloader import DEADLINE, Reloader

pytestmark = pytest.mark.unit

PATIENCE = 30.0


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Runs:
    """Reload function that waits for its release."""

    def __init__(self):
        self.count = 0
        self.started = threading.Semaphore(0)
        self.release = threading.Semaphore(0)

    def __call__(self):
        self.count += 1
        self.started.release()
        assert self.release.acquire(timeout=PATIENCE)


def test_thousand_requests_during_a_run_become_one_further_run():
    runs = Runs()
    reloader = Reloader(runs)
    reloader.request()
    assert runs.started.acquire(timeout=PATIENCE)
    threads = threading.active_count()
    for _ in range(1000):
        reloader.request()
    assert threading.active_count() == threads
    runs.release.release(2)
    assert reloader.wait(PATIENCE)
    assert runs.count == 2


def test_request_after_a_run_starts_another_one():
    runs = Runs()
    runs.release.release(2)
    reloader = Reloader(runs)
    for _ in range(2):
        reloader.request()
        assert reloader.wait(PATIENCE)
    assert runs.count == 2


def test_wait_gives_up_after_its_patience():
    runs = Runs()
    reloader = Reloader(runs)
    assert reloader.wait(0)
    reloader.request()
    assert runs.started.acquire(timeout=PATIENCE)
    assert not reloader.wait(0.01)
    runs.release.release()
    assert reloader.wait(PATIENCE)


def test_hung_run_is_logged_once_with_its_stack(caplog):
    runs = Runs()
    clock = Clock()
    reloader = Reloader(runs, clock)
    reloader.check()
    reloader.request()
    assert runs.started.acquire(timeout=PATIENCE)
    reloader.check()
    assert caplog.records == []
    clock.now += DEADLINE
    reloader.check()
    reloader.check()
    runs.release.release()
    assert reloader.wait(PATIENCE)
    (record,) = caplog.records
    assert record.message == "configuration reload hung"
    assert "test_reloader:" in record.fields["stack"]


def test_request_without_resources_for_a_thread_is_repeated_by_the_next_one(monkeypatch, caplog):
    runs = Runs()
    runs.release.release()
    reloader = Reloader(runs)

    def fail(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        reloader.request()
    assert [record.message for record in caplog.records] == ["configuration reload not started"]
    reloader.request()
    assert reloader.wait(PATIENCE)
    assert runs.count == 1


def test_run_that_has_not_begun_yet_is_not_hung(monkeypatch, caplog):
    release = threading.Event()
    monkeypatch.setattr(Reloader, "_run", lambda _: release.wait(PATIENCE))
    clock = Clock()
    clock.now = 10 * DEADLINE
    reloader = Reloader(lambda: None, clock)
    reloader.request()
    reloader.check()
    release.set()
    assert reloader.wait(PATIENCE)
    assert "configuration reload hung" not in [record.message for record in caplog.records]

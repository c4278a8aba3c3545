"""Tests of the rate-limited logging of recurring failures."""

import logging

import pytest

from monitor.system.log_throttle import RecurringFailure, log_and_pause
from monitor.system.logging import get_logger

pytestmark = pytest.mark.unit


@pytest.fixture
def failure(caplog, clock):
    caplog.set_level(logging.INFO)
    return RecurringFailure(get_logger("monitor.x"), "write failed", "write recovered", monotonic=clock)


def logged(caplog):
    return [(record.levelname, record.message, record.fields["failures"]) for record in caplog.records]


def test_recurring_failure_logs_start_then_once_per_minute_and_recovery(failure, clock, caplog):
    for _ in range(121):
        failure.failure()
        clock.now += 1
    for _ in range(5):
        failure.success()
    failures = [("ERROR", "write failed", count) for count in (1, 61, 121)]
    assert logged(caplog) == [*failures, ("INFO", "write recovered", 121)]


def test_recurring_failure_logs_intermittent_failure_once_per_minute(failure, clock, caplog):
    for _ in range(60):
        failure.failure()
        failure.success()
        clock.now += 2
    assert logged(caplog) == [
        ("ERROR", "write failed", 1),
        ("INFO", "write recovered", 1),
        ("ERROR", "write failed", 30),
        ("INFO", "write recovered", 30),
    ]


def test_recurring_failure_logs_nothing_without_failures(failure, caplog):
    failure.success()
    assert caplog.records == []


def test_recurring_failure_passes_fields_and_error(failure, caplog):
    error = OSError("disk is full")
    failure.failure(exc_info=error, job="sample")
    assert caplog.records[0].fields == {"job": "sample", "failures": 1}
    assert caplog.records[0].exc_info[1] is error


def test_recurring_failure_repeats_lasting_failure_after_the_given_time(caplog, clock):
    failure = RecurringFailure(
        get_logger("monitor.x"), "write failed", "write recovered", repeat_seconds=600.0, monotonic=clock
    )
    for _ in range(1201):
        failure.failure()
        clock.now += 1
    assert [record.fields["failures"] for record in caplog.records] == [1, 601, 1201]


def test_log_and_pause_logs_an_exception_and_sleeps(failure, caplog, monkeypatch):
    pauses = []
    monkeypatch.setattr("time.sleep", pauses.append)
    with log_and_pause(failure, 0.5):
        raise MemoryError
    with log_and_pause(failure, 0.5):
        pass
    assert (logged(caplog), pauses) == ([("ERROR", "write failed", 1)], [0.5])

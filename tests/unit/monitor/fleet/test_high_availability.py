"""High availability: standby, activity and the loss of the lease."""

from __future__ import annotations

import threading

import pytest

from monitor.fleet.high_availability import ActiveProcess
from storage import StorageError, StorageErrorKind

pytestmark = pytest.mark.unit


class FakeLease:
    """Lease with prepared answers of `acquire`."""

    name = "active"

    def __init__(self, *answers):
        self.answers = list(answers)
        self.is_held = False

    def acquire(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        self.is_held = answer
        return answer

    def held(self):
        return self.is_held

    def release(self):
        self.is_held = False


def test_process_waits_on_standby_until_the_lease_is_free():
    away = StorageError("away", StorageErrorKind.SERVER_UNAVAILABLE)
    lease = FakeLease(False, away, False, True)
    process = ActiveProcess(lease, poll_seconds=0.0)
    assert not process.is_active()
    assert process.wait(threading.Event())
    assert process.is_active()
    assert lease.answers == []


def test_process_that_loses_the_lease_is_on_standby(caplog):
    lease = FakeLease(True, True)
    process = ActiveProcess(lease, poll_seconds=0.0)
    process.wait(threading.Event())
    lease.is_held = False
    assert not process.is_active()
    assert "process on standby" in caplog.text
    assert process.wait(threading.Event())


def test_wait_ends_with_the_process():
    stop = threading.Event()
    stop.set()
    assert not ActiveProcess(FakeLease(), poll_seconds=0.0).wait(stop)

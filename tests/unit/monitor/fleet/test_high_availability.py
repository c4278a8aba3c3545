"""High availability: standby, activity and the loss of the lease."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.config.fleet.fleet_section import FleetSection
from monitor.config.loader import Config
from monitor.config.schema import StorageSection
from monitor.fleet.high_availability import ActiveProcess, active_process
from storage import StorageError, StorageErrorKind

pytestmark = pytest.mark.unit


def pause(_):
    return False


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
    assert process.wait(pause)
    assert process.is_active()
    assert lease.answers == []


def test_process_that_loses_the_lease_is_on_standby(caplog):
    lease = FakeLease(True, True)
    process = ActiveProcess(lease, poll_seconds=0.0)
    process.wait(pause)
    lease.is_held = False
    assert not process.is_active()
    assert "process on standby" in caplog.text
    assert process.wait(pause)


def test_wait_ends_with_the_process():
    assert not ActiveProcess(FakeLease(False)).wait(lambda _: True)


def test_only_a_highly_available_fleet_has_a_lease():
    assert active_process(Config()) is None
    config = Config(fleet=FleetSection(high_availability=True))
    with pytest.raises(StorageError):
        active_process(replace(config, storage=StorageSection(url="sqlite:////srv/m.db")))

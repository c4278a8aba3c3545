"""Tests of the checks of the systemd unit and of the daemon."""

from types import SimpleNamespace

import pytest

from monitor.doctor.checks.service import assess_unit, check_daemon
from monitor.doctor.context import NO_DAEMON, DaemonProcess
from monitor.documents.doctor import CheckStatus

pytestmark = pytest.mark.unit

UNIT = {
    "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled",
    "NRestarts": "0", "WatchdogUSec": "1min", "MainPID": "10", "Result": "success",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "status", "figure"),
    [
        ({}, CheckStatus.OK, "watchdog 1min"),
        ({"LoadState": "not-found"}, CheckStatus.SKIPPED, ""),
        ({"LoadState": "masked"}, CheckStatus.FAILED, "masked"),
        ({"ActiveState": "failed", "Result": "watchdog"}, CheckStatus.FAILED, "result watchdog"),
        ({"NRestarts": "12"}, CheckStatus.WARNING, "12 restarts"),
        ({"UnitFileState": "disabled"}, CheckStatus.WARNING, "disabled"),
        ({"WatchdogUSec": "0"}, CheckStatus.WARNING, "watchdog 0"),
    ],
)
def test_unit_is_assessed_by_its_properties(changes, status, figure):
    result = assess_unit(UNIT | changes)
    assert result.status is status
    assert figure in result.message


def test_address_filter_must_fit_the_address_of_the_server():
    local = UNIT | {"IPAddressDeny": "0.0.0.0/0 ::/0", "IPAddressAllow": "127.0.0.0/8 ::1/128"}
    assert assess_unit(local).status is CheckStatus.OK
    assert assess_unit(local, local_only=False).status is CheckStatus.WARNING
    wider = local | {"IPAddressAllow": "127.0.0.0/8 ::1/128 10.0.0.0/8"}
    assert assess_unit(wider, local_only=False).status is CheckStatus.OK
    assert assess_unit(UNIT, local_only=False).status is CheckStatus.OK


@pytest.mark.parametrize(
    ("daemon", "records", "status"),
    [
        (DaemonProcess(running=None, reason="denied"), None, CheckStatus.SKIPPED),
        (NO_DAEMON, None, CheckStatus.WARNING),
        (NO_DAEMON, SimpleNamespace(overview=SimpleNamespace(last_sample=1.0)), CheckStatus.FAILED),
        (DaemonProcess(running=True, pid=2**30), None, CheckStatus.SKIPPED),
    ],
)
def test_missing_daemon_is_a_failure_with_a_history(daemon, records, status):
    (result,) = check_daemon(SimpleNamespace(daemon=daemon, records=records, directory=None))
    assert result.status is status

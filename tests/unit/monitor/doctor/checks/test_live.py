"""Checks of the running daemon."""

from types import SimpleNamespace

import pytest

from monitor.doctor.checks.live import check_jobs, check_writes
from monitor.documents.doctor import CheckStatus
from monitor.documents.live import HungJob, LiveStatus
from monitor.documents.storage import StorageStatus

pytestmark = pytest.mark.unit

STORING = StorageStatus(None, "", samples_buffered=1, samples_dropped=0, write_failures=0, quarantines=0)
FAILING = StorageStatus("disk full", "x.db: disk full", 40, 0, 3, 0)
LOSING = StorageStatus("disk full", "x.db: disk full", 40, 7, 3, 0)
AFTERWARDS = StorageStatus(None, "", 0, 7, 3, 0)


def context(storage=STORING, hung=()):
    return SimpleNamespace(live=LiveStatus(True, storage, hung))


@pytest.mark.parametrize(
    ("storage", "statuses"),
    [
        (STORING, [CheckStatus.OK]),
        (FAILING, [CheckStatus.FAILED]),
        (LOSING, [CheckStatus.FAILED, CheckStatus.FAILED]),
        (AFTERWARDS, [CheckStatus.WARNING]),
    ],
)
def test_writes_are_assessed_by_the_state_of_the_buffer(storage, statuses):
    assert [result.status for result in check_writes(context(storage))] == statuses


def test_jobs_that_hang_are_named():
    assert [result.status for result in check_jobs(context())] == [CheckStatus.OK]
    (result,) = check_jobs(context(hung=(HungJob("retention", 1_800_000_000.0),)))
    assert (result.status, result.subject) == (CheckStatus.FAILED, "retention")
    assert "2027-01-15" in result.message


def test_checks_are_skipped_without_a_daemon():
    for check in (check_writes, check_jobs):
        assert [result.status for result in check(SimpleNamespace(live=None))] == [CheckStatus.SKIPPED]

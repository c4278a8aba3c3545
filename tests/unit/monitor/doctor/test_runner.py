"""Tests of the runner of the checks."""

import pytest

from monitor.config.loader import Config
from monitor.doctor.context import DoctorContext
from monitor.doctor.results import ok
from monitor.doctor.runner import (
    CONTEXT_CHECKS,
    HOST_CHECKS,
    Check,
    examine_invalid_configuration,
    run_check,
    run_checks,
)
from monitor.documents.doctor import CheckId, CheckStatus

pytestmark = pytest.mark.unit

CONTEXT = DoctorContext(now=0.0, config=Config())


def test_check_that_raises_is_a_failure_after_its_earlier_results():
    def check(_):
        yield ok(CheckId.CLOCK, "fine")
        raise RuntimeError("two\nlines")

    results = run_check(Check(CheckId.PORT, check), CONTEXT)
    assert [(result.check, result.status) for result in results] == [
        (CheckId.CLOCK, CheckStatus.OK),
        (CheckId.PORT, CheckStatus.FAILED),
    ]
    assert "RuntimeError: two lines" in results[1].message


def test_check_that_raises_redacts_credentials():
    def check(_):
        raise RuntimeError("postgresql://u:secret@db/m")

    (result,) = run_check(Check(CheckId.DATABASE, check), CONTEXT)
    assert "secret" not in result.message


def test_checks_keep_their_order():
    checks = [Check(check, lambda _, check=check: [ok(check, "")]) for check in CheckId]
    assert [result.check for result in run_checks(checks, CONTEXT)] == list(CheckId)


def test_each_check_has_an_id_of_its_own():
    ids = [check.id for check in (*HOST_CHECKS, *CONTEXT_CHECKS)]
    assert len(ids) == len(set(ids))


def test_invalid_configuration_runs_the_host_checks_only():
    document = examine_invalid_configuration(("web.listen: not an address",), now=0.0)
    subjects = [result.check for result in document.checks]
    host = [check.id for check in HOST_CHECKS]
    assert subjects == [*host, CheckId.CONFIGURATION, CheckId.REMAINING_CHECKS]

"""Tests of the checks of the software."""

import pytest

from monitor.config.loader import Config
from monitor.doctor.checks import software
from monitor.doctor.checks.software import check_configuration, check_versions, configuration_problems
from monitor.doctor.context import DoctorContext
from monitor.documents.doctor import CheckId, CheckStatus

pytestmark = pytest.mark.unit


def test_versions_of_this_environment_are_ok():
    (result,) = check_versions(DoctorContext(0.0, Config()))
    assert result.status is CheckStatus.OK
    assert "numpy" in result.message


def test_missing_package_is_a_failure(monkeypatch):
    monkeypatch.setattr(software, "requires", lambda _: ["no-such-package>=1", "numpy>=1", "x>=1; extra == 'dev'"])
    (result,) = check_versions(DoctorContext(0.0, Config()))
    assert (result.status, "no-such-package" in result.fix, "x missing" in result.message) == (
        CheckStatus.FAILED,
        True,
        False,
    )


def test_default_configuration_is_ok():
    (result,) = check_configuration(DoctorContext(0.0, Config()))
    assert (result.check, result.status) == (CheckId.CONFIGURATION, CheckStatus.OK)


def test_each_configuration_problem_is_a_failure():
    results = configuration_problems(["trainig: unknown", "web.listen: not a string"])
    assert [(result.check, result.status) for result in results] == [
        (CheckId.CONFIGURATION, CheckStatus.FAILED),
        (CheckId.CONFIGURATION, CheckStatus.FAILED),
        (CheckId.REMAINING_CHECKS, CheckStatus.SKIPPED),
    ]

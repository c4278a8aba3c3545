"""Checks of the source of a fleet."""

from dataclasses import replace

import pytest

from monitor.config.fleet.source_section import SourceSection
from monitor.config.loader import Config
from monitor.doctor.checks.fleet import assess_source, check_fleet_source
from monitor.doctor.context import DoctorContext
from monitor.documents.doctor import CheckId, CheckStatus
from monitor.fleet.source.examination import SourceExamination
from monitor.fleet.source.statistics import SourceStatistics
from tests.unit.monitor.sampling.history_sources.server import answer, scripted_server

pytestmark = pytest.mark.unit

GOOD = SourceExamination(
    url="http://a", hosts=3, counts={"cpu_usage": 3, "memory_usage": 2}, statistics=SourceStatistics(hosts=3),
    clock_skew=0.5, targets={},
)  # fmt: skip


def statuses(examination):
    return {(result.check, result.subject): result.status for result in assess_source(examination)}


def with_statistics(**values):
    return replace(GOOD, statistics=SourceStatistics(**values))


def test_good_source_is_ok():
    assert set(statuses(GOOD).values()) == {CheckStatus.OK}
    assert len(statuses(GOOD)) == 3


@pytest.mark.parametrize(
    ("examination", "check", "subject", "status"),
    [
        (replace(GOOD, hosts=0), CheckId.FLEET_SOURCE, "", CheckStatus.FAILED),
        (with_statistics(last_warnings=("store",)), CheckId.FLEET_SOURCE, "", CheckStatus.WARNING),
        (with_statistics(errors={"cpu_usage": "boom"}), CheckId.FLEET_FIELD, "cpu_usage", CheckStatus.FAILED),
        (with_statistics(rejected={"cpu_usage": 2}), CheckId.FLEET_FIELD, "cpu_usage", CheckStatus.WARNING),
        (
            replace(GOOD, counts={"cpu_usage": 3, "swap_usage": 0}),
            CheckId.FLEET_FIELD,
            "swap_usage",
            CheckStatus.WARNING,
        ),
        (with_statistics(duplicate_labels={"a": "{}"}), CheckId.FLEET_TARGETS, "", CheckStatus.FAILED),
        (replace(GOOD, targets={"a": ("{x}", "{y}")}), CheckId.FLEET_TARGETS, "", CheckStatus.WARNING),
        (replace(GOOD, targets=None), CheckId.FLEET_TARGETS, "", CheckStatus.SKIPPED),
        (replace(GOOD, clock_skew=-60.0), CheckId.FLEET_CLOCK, "", CheckStatus.WARNING),
    ],
)
def test_problem_of_the_source_is_reported_with_a_fix(examination, check, subject, status):
    assert statuses(examination)[check, subject] is status
    for result in assess_source(examination):
        assert bool(result.fix) == (result.status in {CheckStatus.WARNING, CheckStatus.FAILED})


def context_of(**keys):
    return DoctorContext(1e9, replace(Config(), source=SourceSection(**keys)))


def test_single_host_has_no_result():
    assert list(check_fleet_source(context_of())) == []


def test_server_that_refuses_the_credentials_is_a_failure():
    with scripted_server(answer({"error": "no"}, 401)) as server:
        (result,) = check_fleet_source(context_of(kind="prometheus", url=server.url))
    assert (result.check, result.status) == (CheckId.FLEET_SOURCE, CheckStatus.FAILED)
    assert "401" in result.message


def test_missing_credentials_file_is_a_failure(tmp_path):
    file = str(tmp_path / "missing.yml")
    (result,) = check_fleet_source(context_of(kind="prometheus", url="http://127.0.0.1:1", http_config_file=file))
    assert (result.check, result.status) == (CheckId.FLEET_SOURCE, CheckStatus.FAILED)
    assert file in result.message

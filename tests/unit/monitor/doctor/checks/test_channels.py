"""Tests of monitor.doctor.checks.channels."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from monitor.config.loader import Config
from monitor.config.notify.channels import CommandChannel
from monitor.config.notify.section import NotifySection
from monitor.doctor.checks.channels import assess_channel, check_channels
from monitor.doctor.context import DoctorContext
from monitor.documents.doctor import CheckStatus
from monitor.documents.status.parts import ChannelStatus
from monitor.queries.channels import ChannelOverview
from storage import ChannelHealth
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

WORKING = ChannelStatus("ops", "webhook", 0, 0, 0, NOW, None, "")
CONFIGURED = Config(notify=NotifySection(channels=(("ops", CommandChannel(kind="command", argv=("true",))),)))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, CheckStatus.OK),
        ({"last_success_at": None}, CheckStatus.OK),
        ({"pending": 1}, CheckStatus.OK),
        ({"given_up": 2}, CheckStatus.WARNING),
        ({"failures": 3, "last_failure_at": NOW, "last_error": "status 503"}, CheckStatus.FAILED),
    ],
)
def test_channel_is_assessed_by_its_last_attempt_and_by_what_was_given_up(changes, status):
    result = assess_channel(replace(WORKING, **changes))
    assert (result.status, result.subject) == (status, "ops")
    assert bool(result.fix) is (status is not CheckStatus.OK)


def test_check_reads_the_channels_of_the_records():
    overview = SimpleNamespace(channels=(ChannelOverview("command", ChannelHealth("ops", NOW), 0, 0),))
    context = DoctorContext(NOW, CONFIGURED, records=SimpleNamespace(overview=overview))
    assert [result.status for result in check_channels(context)] == [CheckStatus.OK]


def test_check_is_skipped_without_channels_or_records():
    assert [result.status for result in check_channels(DoctorContext(NOW, Config()))] == [CheckStatus.SKIPPED]
    assert [result.status for result in check_channels(DoctorContext(NOW, CONFIGURED))] == [CheckStatus.SKIPPED]

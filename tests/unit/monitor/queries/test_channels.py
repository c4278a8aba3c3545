"""Tests of monitor.queries.channels."""

import pytest

from monitor.config.notify.channels import CommandChannel
from monitor.config.notify.section import NotifySection
from monitor.queries.channels import GIVEN_UP_WINDOW, read_channels
from storage import ChannelHealth, Notification, NotificationStatus
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

COMMAND = CommandChannel(kind="command", argv=("true",))
NOTIFY = NotifySection(channels=(("ops", COMMAND), ("mail", COMMAND)))


def test_channels_are_those_of_the_configuration(stores):
    stores.notifications.save([], health=[ChannelHealth("former", failures=3), ChannelHealth("ops", NOW)])
    ops, mail = read_channels(stores, NOTIFY, NOW)
    assert (ops.health.last_success_at, ops.failing, mail.health) == (NOW, False, ChannelHealth("mail"))
    assert read_channels(stores, NotifySection(), NOW) == ()


def test_waiting_and_given_up_notifications_are_counted(stores):
    waiting = Notification("a", "ops", "i", "raised", NOW, "{}")
    recent = Notification("b", "ops", "i", "raised", NOW, "{}", NotificationStatus.FAILED, 4, NOW)
    old = Notification("c", "ops", "i", "raised", NOW, "{}", NotificationStatus.FAILED, 4, NOW - GIVEN_UP_WINDOW - 1)
    stores.notifications.save([waiting, recent, old], health=[ChannelHealth("ops", failures=2)])
    ops, mail = read_channels(stores, NOTIFY, NOW)
    assert (ops.pending, ops.given_up, ops.failing) == (1, 1, True)
    assert (mail.pending, mail.given_up, mail.failing) == (0, 0, False)

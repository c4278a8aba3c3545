"""Tests of the metrics of the notifications."""

import pytest

from monitor.exporter.notifications import notification_metrics
from monitor.state import ChannelState

pytestmark = pytest.mark.unit


def test_each_channel_has_its_outcomes_and_waiting_notifications(samples):
    channels = {"ops": ChannelState(2, {"delivered": 7, "failed": 0}), "mail": ChannelState(0, {"delivered": 1})}
    assert samples(notification_metrics(channels)) == {
        ("notifications_total", "ops", "delivered"): 7,
        ("notifications_total", "ops", "failed"): 0,
        ("notifications_total", "mail", "delivered"): 1,
        ("notifications_pending", "ops"): 2,
        ("notifications_pending", "mail"): 0,
    }


def test_daemon_without_a_channel_has_no_metrics_of_notifications(samples):
    assert samples(notification_metrics({})) == {}

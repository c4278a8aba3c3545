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


def test_times_of_the_last_delivery_and_failure_are_absent_before_them(samples):
    channels = {"ops": ChannelState(0, {}, 100.0, None), "mail": ChannelState(0, {}, None, 90.0)}
    values = samples(notification_metrics(channels))
    assert values["notification_last_success_timestamp_seconds", "ops"] == 100.0
    assert values["notification_last_failure_timestamp_seconds", "mail"] == 90.0
    assert ("notification_last_success_timestamp_seconds", "mail") not in values


def test_daemon_without_a_channel_has_no_metrics_of_notifications(samples):
    assert samples(notification_metrics({})) == {}

"""Tests of the queue of notifications and of the notified incidents."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage import (
    ChannelHealth,
    Database,
    Notification,
    NotificationRepository,
    NotificationStatus,
    NotifiedIncident,
)

pytestmark = pytest.mark.unit

RAISED = Notification("web1/1/raised", "ops", "web1/1", "raised", 100.0, "{}")
CLEARED = replace(RAISED, key="web1/1/cleared", change="cleared", created_at=200.0)
DELIVERED = replace(RAISED, status=NotificationStatus.DELIVERED, finished_at=105.0)


@pytest.fixture
def repository(database: Database) -> NotificationRepository:
    return NotificationRepository(database)


def test_pending_notifications_are_delivered_in_their_order(repository: NotificationRepository) -> None:
    repository.save([RAISED, CLEARED, replace(RAISED, channel="mail")])
    assert repository.pending_counts() == {"ops": 2, "mail": 1}
    assert repository.next_pending("ops") == RAISED
    repository.save([DELIVERED])
    assert repository.next_pending("ops") == CLEARED
    assert repository.next_pending("mail") == replace(RAISED, channel="mail")
    assert repository.next_pending("pager") is None
    assert repository.delivery_times(0.0) == [("ops", 105.0)]
    assert repository.delivery_times(106.0) == []


def test_final_status_of_a_key_and_channel_stays(repository: NotificationRepository) -> None:
    repository.save([replace(RAISED, attempts=2)])
    repository.save([DELIVERED])
    repository.save([RAISED])
    assert repository.next_pending("ops") is None
    assert repository.delivery_times(0.0) == [("ops", 105.0)]


def test_newest_incident_of_each_kind_is_stored(repository: NotificationRepository) -> None:
    warning = NotifiedIncident("high_load", 1.0, 900.0, 900.0)
    repository.save([], [warning, NotifiedIncident("anomaly", 2.0)])
    repository.save([], [replace(warning, level=300.0, in_progress=False)])
    assert {incident.kind: incident for incident in repository.incidents()} == {
        "anomaly": NotifiedIncident("anomaly", 2.0),
        "high_load": NotifiedIncident("high_load", 1.0, 900.0, 300.0, in_progress=False),
    }


def test_incident_knows_its_channels(repository: NotificationRepository) -> None:
    repository.save([DELIVERED, CLEARED, replace(RAISED, channel="mail", status=NotificationStatus.SUPPRESSED)])
    assert repository.channels_of("web1/1") == {
        "ops": {NotificationStatus.DELIVERED, NotificationStatus.PENDING},
        "mail": {NotificationStatus.SUPPRESSED},
    }
    assert repository.channels_of("web1/2") == {}


def test_summary_counts_each_suppressed_notification_once(repository: NotificationRepository) -> None:
    suppressed = NotificationStatus.SUPPRESSED
    repository.save([replace(RAISED, status=suppressed), replace(CLEARED, status=suppressed)])
    assert repository.suppressed_counts("ops") == {"raised": 1, "cleared": 1}
    assert repository.suppressed_counts("mail") == {}
    summary = Notification("web1/summary/300", "ops", "web1/summary/300", "summary", 300.0, "{}")
    repository.add_summary(summary)
    assert repository.suppressed_counts("ops") == {}
    assert repository.next_pending("ops") == summary


def test_queue_keeps_the_newest(repository: NotificationRepository) -> None:
    repository.save([RAISED, CLEARED])
    assert repository.drop_oldest(2, 300.0) == {}
    assert repository.drop_oldest(1, 300.0) == {"ops": 1}
    assert repository.next_pending("ops") == CLEARED


def test_old_notifications_expire_and_are_purged(repository: NotificationRepository) -> None:
    repository.save([RAISED, CLEARED])
    assert repository.expire(150.0, 300.0) == {"ops": 1}
    assert repository.expire(150.0, 300.0) == {}
    assert repository.next_pending("ops") == CLEARED
    repository.purge_finished(301.0)
    repository.save([RAISED])
    assert repository.pending_counts() == {"ops": 2}


def test_channel_health_is_stored_and_replaced(repository: NotificationRepository) -> None:
    failed = ChannelHealth("ops", None, 100.0, "status 503", 1)
    repository.save([], health=[failed, ChannelHealth("mail", 90.0)])
    delivered = replace(failed, last_success_at=110.0, failures=0)
    repository.save([], health=[delivered])
    assert repository.channel_health() == [ChannelHealth("mail", 90.0), delivered]


def test_given_up_and_dropped_notifications_are_counted_by_channel(repository: NotificationRepository) -> None:
    failed = replace(RAISED, status=NotificationStatus.FAILED, finished_at=105.0)
    dropped = replace(CLEARED, status=NotificationStatus.DROPPED, finished_at=205.0)
    repository.save([failed, dropped, replace(DELIVERED, channel="mail")])
    assert repository.given_up_counts(0.0) == {"ops": 2}
    assert repository.given_up_counts(200.0) == {"ops": 1}

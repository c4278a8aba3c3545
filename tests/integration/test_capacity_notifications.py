"""Capacity warnings of a file system that fills up, from its use to the requests that a receiver gets."""

from types import SimpleNamespace

import pytest

from model.units import DAY
from monitor.config.loader import Config
from monitor.config.notify.channels import WebhookChannel
from monitor.config.notify.section import NotifySection
from monitor.jobs.capacity import CapacityJob
from monitor.notifications.delivery import SenderProcesses
from monitor.notifications.events import Origin
from monitor.notifications.job import NotificationInput, NotificationJob
from monitor.notifications.outbox import Outbox
from monitor.sampling.sources.mounts import FilesystemUsage
from monitor.stores import open_stores

from .receivers import HttpReceiver

pytestmark = pytest.mark.integration

START = 1_799_971_200.0
SIZE = 1e12
FILLED = 0.9 * DAY
CLEANED = 1.1 * DAY


def use(seconds):
    """Return the use of the file system: it passes 95 % after FILLED, and is cleaned after CLEANED."""
    return 0.4 if seconds >= CLEANED else min(0.98, 0.6 + 0.35 * seconds / FILLED)


class Host:
    """Host with one file system, whose jobs are run by a clock that the tests set."""

    def __init__(self, stores, receiver):
        self.now = START
        self.capacity = None
        config = Config(
            notify=NotifySection(clear_after=0.0, channels=(("ops", WebhookChannel(url=f"{receiver.url}/in")),))
        )
        self.predict = CapacityJob(stores, config, self.publish, lambda: self.now, self.filesystems).run
        source = NotificationInput(
            state=lambda: SimpleNamespace(live=None, anomaly=None, capacity=self.capacity),
            origin=lambda: Origin("web1", "http://127.0.0.1:10190/"),
            clock=lambda: self.now,
            monotonic=lambda: self.now,
        )
        outbox = Outbox(stores.notifications)
        self.notify = NotificationJob(config, stores, outbox, SenderProcesses(), lambda _: None, source).run

    def publish(self, state):
        self.capacity = state

    def filesystems(self, *_):
        used = use(self.now - START)
        return [FilesystemUsage("/data", "ext4:1", used * SIZE, SIZE, 0.5)]

    def run(self, seconds):
        end = self.now + seconds
        while self.now < end:
            self.predict()
            self.notify()
            self.now += 300.0


def test_filling_file_system_is_announced_escalated_and_cleared_once():
    with HttpReceiver() as receiver, open_stores("sqlite://") as stores:
        host = Host(stores, receiver)
        host.run(1.3 * DAY)
    events = [body for _, _, body in receiver.requests]
    assert [event["change"] for event in events] == ["raised", "escalated", "cleared"]
    assert len({event["key"] for event in events}) == 3
    assert len({event["incident"] for event in events}) == 1
    raised, escalated, cleared = events
    assert START + 7200 <= raised["at"] <= START + FILLED - 3600
    assert raised["capacity"]["mountpoint"] == "/data"
    assert raised["capacity"]["usage"] < 0.95
    assert raised["probability"] >= 0.6
    assert raised["capacity"]["expected_at"] == pytest.approx(START + FILLED, abs=0.5 * DAY)
    assert escalated["at"] == pytest.approx(START + FILLED, abs=600)
    assert (escalated["severity"], escalated["capacity"]["exhausted"]) == ("critical", True)
    assert START + CLEANED <= cleared["at"] <= START + CLEANED + 7200

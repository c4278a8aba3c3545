"""Fixtures of the notifications: forecasts, an outbox in memory, and senders without processes."""

from types import SimpleNamespace

import pytest

from monitor.config.notify.channels import CommandChannel
from monitor.notifications.events import Origin
from monitor.notifications.outbox import Outbox
from monitor.notifications.sending import SendOutcome, SendResult
from monitor.queries.capacity import ResourceState
from monitor.stores import open_stores
from storage import CapacityRow, Prediction, Sample

NOW = 1_800_000_000.0
DELIVERED = SendResult(SendOutcome.DELIVERED)
ORIGIN = Origin("web1", "http://127.0.0.1:10190/")
SAMPLE = Sample(NOW, cpu_usage=0.875)
CHANNEL = CommandChannel(kind="command", argv=("true",))


def forecast(*warnings, at=NOW, high_load_since=None):
    """Return a forecast for 5, 15 and 60 minutes with warnings for some horizons (in minutes)."""
    predictions = tuple(
        Prediction(at, 60.0 * minutes, 1, 0.5 + minutes / 1000, 0.05, 0.4, minutes in warnings, high_load_since)
        for minutes in (5, 15, 60)
    )
    contributions = {"level": 9.0, "disk_busy": -1.0, "cpu_usage": 2.0, "load_index": 1.0, "swap_usage": 0.5}
    contributions |= {"memory_usage": 0.25}
    return SimpleNamespace(
        predictions=predictions,
        contributions=[contributions] * 3,
        describe=lambda group, horizon: f"{group} {horizon:g}",
    )


def disk(name, used=0.9, probability=0.8, *, warning=False, kind="filesystem", at=NOW, full_seconds=36_000.0):
    """Return the state of a resource whose limit is 95 %, with a size of 1000."""
    row = CapacityRow(
        resource_id=1,
        at=at,
        used=1000 * used,
        peak=1000 * used,
        size=1000.0,
        probability=probability,
        base_rate=0.01,
        full_seconds=full_seconds,
        warning=warning,
    )
    return ResourceState(kind, name, row, 0.95, 86_400.0 if kind == "filesystem" else 3_600.0, 1e6, 7200.0)


class Senders:
    """Senders that record (channel, event), and return the results of a list; then deliveries."""

    def __init__(self):
        self.sent = []
        self.results = []

    def send_all(self, requests):
        self.sent += [request.event for request in requests]
        return [self.results.pop(0) if self.results else DELIVERED for _ in requests]

    @property
    def changes(self):
        return [event.change for event in self.sent]


@pytest.fixture
def stores():
    with open_stores("sqlite://") as opened:
        yield opened


@pytest.fixture
def outbox(stores):
    opened = Outbox(stores.notifications)
    opened.load(NOW)
    return opened


@pytest.fixture
def senders():
    return Senders()

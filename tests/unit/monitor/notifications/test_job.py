"""Tests of the job of the notifications, over a database in memory and senders without processes."""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from monitor.config.loader import SYSTEM_CONFIG, Config
from monitor.config.maintenance_windows import RecurringWindow
from monitor.config.notify.channels import CommandChannel, WebhookChannel
from monitor.config.notify.section import NotifySection
from monitor.config.schema import AnomalySection
from monitor.notifications import outbox as outbox_module
from monitor.notifications.events import Origin
from monitor.notifications.job import NotificationInput, NotificationJob, origin_of
from monitor.notifications.outbox import Outbox
from monitor.notifications.sending import SendOutcome, SendResult
from monitor.queries.capacity import CapacityState
from monitor.stores import open_stores
from storage import AnomalyRecord, MaintenanceWindow, Prediction, Sample, StorageError, StorageErrorKind

from .conftest import disk

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0
OPS = CommandChannel(kind="command", argv=("true",))
DELIVERED = SendResult(SendOutcome.DELIVERED)
FAILED = SendResult(SendOutcome.FAILED, "HTTP status 500")
REJECTED = SendResult(SendOutcome.REJECTED, "HTTP status 400")


def live(at, *, high):
    prediction = Prediction(at, 300.0, 1, 0.5, 0.05, 0.4, False, at if high else None)
    forecast = SimpleNamespace(predictions=(prediction,), contributions=[{}], describe=lambda *_: "")
    return SimpleNamespace(forecast=forecast, sample=Sample(NOW))


class Host:
    """Host whose load the tests set, with its job, and the messages that were sent as (channel, change)."""

    def __init__(self, stores):
        self.stores = stores
        self.outbox = Outbox(stores.notifications)
        self.now = NOW
        self.elapsed = 0.0
        self.runs = 0
        self.high = False
        self.anomaly = None
        self.capacity = None
        self.sent = []
        self.keys = []
        self.results = []
        self.states = {}
        self.configure(ops=OPS)

    def configure(self, *, maintenance=(), retry_for=3600.0, clear_after=0.0, **channels):
        self.channels = channels
        config = Config(
            notify=NotifySection(retry_for=retry_for, clear_after=clear_after, channels=tuple(channels.items())),
            anomaly=AnomalySection(maintenance=maintenance),
        )
        source = NotificationInput(
            state=lambda: SimpleNamespace(
                live=live(self.now + self.runs / 1000, high=self.high), anomaly=self.anomaly, capacity=self.capacity
            ),
            origin=lambda: Origin("web1", "http://127.0.0.1:10190/"),
            clock=lambda: self.now,
            monotonic=lambda: self.elapsed,
        )
        self.job = NotificationJob(config, self.stores, self.outbox, self, self.states.update, source)

    def restart(self):
        """Forget everything that is not in the database, as a new process does."""
        self.outbox = Outbox(self.stores.notifications)
        self.configure(**self.channels)

    def send_all(self, requests):
        names = {id(channel): name for name, channel in self.channels.items()}
        self.sent += [(names[id(request.channel)], request.event.change.value) for request in requests]
        self.keys += [request.event.key for request in requests]
        return [self.results.pop(0) if self.results else DELIVERED for _ in requests]

    def run(self, *, high=None, seconds=0.0):
        """Run the job after a time; return the messages of this run."""
        self.runs += 1
        self.now += seconds
        self.elapsed += seconds
        self.high = self.high if high is None else high
        before = len(self.sent)
        self.job.run()
        return self.sent[before:]

    def outcomes(self, channel="ops"):
        return {name: number for name, number in self.states[channel].outcomes.items() if number}

    @contextmanager
    def without_database(self):
        error = StorageError("away", StorageErrorKind.UNAVAILABLE)
        self.stores.database.pool.suspend(error, 0.0)
        yield
        self.stores.database.pool.resume()


@pytest.fixture
def host():
    with open_stores("sqlite://") as stores:
        yield Host(stores)


def test_change_is_sent_once_to_each_channel(host):
    host.configure(ops=OPS, mail=CommandChannel(kind="command", argv=("mail",)))
    assert host.run() == []
    assert host.run(high=True) == [("ops", "raised"), ("mail", "raised")]
    assert host.run() == []
    assert host.run(high=False) == [("ops", "cleared"), ("mail", "cleared")]
    assert (host.states["ops"].pending, host.outcomes()) == (0, {"delivered": 2})


def test_short_interruption_does_not_clear_an_incident(host):
    host.configure(ops=OPS, clear_after=60.0)
    assert host.run(high=True) == [("ops", "raised")]
    assert host.run(high=False, seconds=5) == []
    assert host.run(seconds=59) == []
    assert host.run(high=True, seconds=5) == []
    assert host.run(high=False, seconds=5) == []
    assert host.run(seconds=59) == []
    assert host.run(seconds=1) == [("ops", "cleared")]


def test_channel_gets_only_its_kinds_of_events(host):
    host.configure(ops=OPS, pager=replace(OPS, events=("anomaly",)))
    host.anomaly = object()
    host.stores.anomalies.add(AnomalyRecord(NOW, None, 0.9, NOW, "joint", {"cpu_usage": 1.0}, 1))
    assert host.run(high=True) == [("ops", "raised"), ("pager", "started"), ("ops", "started")]
    anomaly = host.stores.anomalies.ongoing()
    host.stores.anomalies.update(replace(anomaly, ended_at=NOW + 60))
    assert host.run() == []
    host.anomaly = object()
    assert host.run() == [("ops", "ended"), ("pager", "ended")]


def capacity(*resources):
    return CapacityState(NOW, 0.7, resources)


def test_capacity_warning_is_raised_and_cleared_once_per_file_system(host):
    host.capacity = capacity(disk("/"), disk("/data", warning=True))
    assert host.run() == [("ops", "raised")]
    assert host.run(seconds=300) == []
    host.capacity = capacity(disk("/", warning=True), disk("/data", warning=True))
    assert host.run() == [("ops", "raised")]
    host.restart()
    assert host.run() == []
    host.capacity = capacity(disk("/", warning=True), disk("/data"))
    assert host.run() == [("ops", "cleared")]
    host.capacity = capacity(disk("/"), disk("/data"))
    assert host.run() == [("ops", "cleared")]
    assert len(set(host.keys)) == 4


def test_short_interruption_does_not_clear_a_capacity_warning(host):
    host.configure(ops=OPS, clear_after=60.0)
    host.capacity = capacity(disk("/", warning=True), disk("/data", warning=True))
    host.run()
    host.capacity = capacity(disk("/"), disk("/data", warning=True))
    assert host.run() == []
    assert host.run(seconds=59) == []
    assert host.run(seconds=1) == [("ops", "cleared")]


def test_capacity_warnings_are_deferred_by_a_maintenance_window(host):
    host.stores.anomalies.add_maintenance_window(MaintenanceWindow(NOW, NOW + 600))
    host.capacity = capacity(disk("/data", warning=True))
    assert host.run() == []
    assert host.run(seconds=600) == [("ops", "raised")]


def test_capacity_warnings_count_towards_the_rate_limit(host):
    host.configure(ops=replace(OPS, rate_limit=1))
    host.capacity = capacity(disk("/", warning=True), disk("/data", warning=True))
    assert host.run() == [("ops", "raised")]
    assert host.outcomes() == {"delivered": 1, "suppressed": 1}
    host.capacity = capacity(disk("/"), disk("/data"))
    assert host.run() == [("ops", "cleared")]


def test_channel_without_capacity_gets_no_capacity_warnings(host):
    host.configure(ops=replace(OPS, events=("high_load", "anomaly")), disks=replace(OPS, events=("capacity",)))
    host.capacity = capacity(disk("/data", warning=True))
    assert host.run(high=True) == [("ops", "raised"), ("disks", "raised")]
    assert host.keys[0].startswith("web1/high_load/")
    assert host.keys[1].startswith("web1/capacity/")


def test_unmounted_file_system_ends_its_warning_after_a_restart_too(host):
    host.stores.capacity.resource_id("filesystem", "/data", "1", NOW)
    host.capacity = capacity(disk("/data", warning=True))
    host.run()
    host.restart()
    host.capacity = None
    assert host.run(seconds=300) == []
    host.capacity = capacity()
    assert host.run() == [("ops", "cleared")]
    assert host.run() == []


def test_capacity_warning_is_sent_while_the_database_is_away(host):
    host.run()
    host.capacity = capacity(disk("/data", warning=True))
    with host.without_database(), pytest.raises(StorageError):
        host.run()
    assert host.run() == []
    assert host.sent == [("ops", "raised")]


def test_failed_attempt_is_repeated_with_growing_pauses_and_the_same_key(host):
    host.results = [FAILED] * 3
    assert host.run(high=True) == [("ops", "raised")]
    assert host.run(seconds=9) == []
    assert host.run(seconds=1) == [("ops", "raised")]
    assert host.run(seconds=19) == []
    assert host.run(seconds=1) == [("ops", "raised")]
    assert host.states["ops"].pending == 1
    assert host.run(high=False, seconds=40) == [("ops", "raised"), ("ops", "cleared")]
    assert len(set(host.keys[:4])) == 1
    assert host.outcomes() == {"delivered": 2, "retried": 3}


def test_receiver_that_asks_to_wait_is_obeyed(host):
    host.results = [replace(FAILED, retry_after=120.0)]
    host.run(high=True)
    assert host.run(seconds=119) == []
    assert host.run(seconds=1) == [("ops", "raised")]


def test_failing_channel_does_not_delay_another(host):
    host.configure(bad=OPS, mail=CommandChannel(kind="command", argv=("mail",)))
    host.results = [FAILED, DELIVERED]
    host.run(high=True)
    assert host.run(high=False) == [("mail", "cleared")]


def test_rejected_notification_is_not_repeated(host):
    host.results = [REJECTED]
    assert host.run(high=True) == [("ops", "raised")]
    assert host.run(seconds=3600) == []
    assert host.outcomes() == {"failed": 1}


def test_notification_is_abandoned_after_retry_for(host):
    host.results = [FAILED] * 100
    host.run(high=True)
    for _ in range(40):
        host.run(seconds=100)
    assert host.outcomes()["failed"] == 1
    assert host.states["ops"].pending == 0


def test_restart_delivers_what_waits_and_knows_the_incident(host):
    host.results = [FAILED]
    host.run(high=True)
    host.restart()
    assert host.run() == [("ops", "raised")]
    assert len(set(host.keys)) == 1
    host.restart()
    assert host.run(high=False) == [("ops", "cleared")]
    host.restart()
    assert host.run() == []


def test_process_killed_after_sending_sends_again_with_the_same_key(host, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(host.outbox, "finish", killed)
    with pytest.raises(KeyboardInterrupt):
        host.run(high=True)
    host.restart()
    assert host.run() == [("ops", "raised")]
    assert len(host.keys) == 2
    assert len(set(host.keys)) == 1
    host.restart()
    assert host.run() == []


def test_rate_limit_suppresses_incidents_and_summarises_them(host):
    host.configure(ops=replace(OPS, rate_limit=3))
    sent = []
    for _ in range(4):
        sent += host.run(high=True, seconds=10)
        sent += host.run(high=False, seconds=10)
    # The end of the second incident is sent, because its start was.
    assert sent == [("ops", "raised"), ("ops", "cleared")] * 2
    assert host.outcomes() == {"delivered": 4, "suppressed": 4}
    assert host.run(seconds=3600) == [("ops", "summary")]
    summary = host.stores.notifications.suppressed_counts("ops")
    assert summary == {}
    assert host.run(seconds=10) == []
    assert host.run(high=True, seconds=10) == [("ops", "raised")]


def test_rate_limit_survives_a_restart(host):
    host.configure(ops=replace(OPS, rate_limit=2))
    host.run(high=True)
    host.run(high=False, seconds=10)
    host.restart()
    assert host.run(high=True, seconds=10) == []
    host.restart()
    assert host.run(seconds=3600) == [("ops", "summary")]


def test_service_with_incidents_gets_no_summary(host):
    host.configure(ops=WebhookChannel(preset="alertmanager", url="http://127.0.0.1:9093", rate_limit=1))
    host.run(high=True)
    host.run(high=False)
    host.run(high=True)
    assert host.outcomes() == {"delivered": 2, "suppressed": 1}
    assert host.run(seconds=3600) == []


def test_queue_is_bounded(host, monkeypatch):
    monkeypatch.setattr(outbox_module, "MAX_PENDING", 3)
    host.results = [FAILED]
    for _ in range(3):
        host.run(high=True)
        host.run(high=False)
    assert host.states["ops"].pending == 3
    assert host.outcomes() == {"retried": 1, "dropped": 3}
    assert host.stores.notifications.pending_counts() == {"ops": 3}


@pytest.mark.parametrize("recurring", [True, False])
def test_maintenance_window_defers_all_events_to_its_end(host, recurring):
    if recurring:
        start = NOW % 86400
        host.configure(ops=OPS, maintenance=(RecurringWindow("daily", start, start + 600),))
    else:
        host.stores.anomalies.add_maintenance_window(MaintenanceWindow(NOW, NOW + 600))
    host.anomaly = object()
    host.stores.anomalies.add(AnomalyRecord(NOW - 60, None, 0.9, NOW, "joint", {"cpu_usage": 1.0}, 1))
    assert host.run(high=True) == []
    assert host.run(seconds=599) == []
    assert host.run(seconds=1) == [("ops", "raised"), ("ops", "started")]


def test_incident_within_a_maintenance_window_is_not_notified(host):
    host.stores.anomalies.add_maintenance_window(MaintenanceWindow(NOW, NOW + 600))
    assert host.run(high=True) == []
    assert host.run(high=False, seconds=60) == []
    assert host.run(seconds=600) == []


def test_reload_keeps_what_waits_and_skips_ends_without_a_start(host):
    host.results = [FAILED]
    host.run(high=True)
    host.configure(ops=replace(OPS, argv=("repaired",)), new=CommandChannel(kind="command", argv=("new",)))
    assert host.run() == [("ops", "raised")]
    assert host.run(high=False) == [("ops", "cleared")]
    assert host.outcomes() == {"delivered": 2, "retried": 1}


def test_notifications_are_sent_while_the_database_is_away(host):
    host.run()
    with host.without_database():
        host.results = [FAILED]
        with pytest.raises(StorageError):
            host.run(high=True)
        with pytest.raises(StorageError):
            host.run(seconds=10)
        assert host.sent == [("ops", "raised")] * 2
        with pytest.raises(StorageError):
            host.run(high=False)
        with pytest.raises(StorageError):
            host.run(high=True)
        host.results = [FAILED]
        assert host.sent[2:] == [("ops", "cleared"), ("ops", "raised")]
    assert host.run() == []
    host.restart()
    assert host.run() == []
    assert host.run(high=False) == [("ops", "cleared")]


def test_notification_that_fails_without_the_database_is_stored_later(host):
    host.run()
    with host.without_database():
        host.results = [FAILED]
        with pytest.raises(StorageError):
            host.run(high=True)
    host.run()
    assert host.stores.notifications.pending_counts() == {"ops": 1}
    host.restart()
    assert host.run(seconds=10) == [("ops", "raised")]


def test_nothing_is_sent_before_the_database_was_read_once(host):
    with host.without_database(), pytest.raises(StorageError):
        host.run(high=True)
    assert host.sent == []
    assert host.run() == [("ops", "raised")]


def test_damaged_event_is_given_up(host):
    host.results = [FAILED]
    host.run(high=True)
    with host.stores.database.writing() as connection:
        connection.exec_driver_sql("UPDATE notifications SET event = '{'")
    host.restart()
    assert host.run() == []
    assert host.outcomes() == {"failed": 1}


def test_health_of_a_channel_survives_a_restart_and_names_no_secret(host):
    host.configure(ops=OPS)
    host.results = [SendResult(SendOutcome.FAILED, "https://user:pw@example.org/x refused"), DELIVERED]
    host.run(high=True)
    (health,) = host.stores.notifications.channel_health()
    assert (health.failures, health.last_success_at) == (1, None)
    assert "pw" not in health.last_error
    host.restart()
    host.run(seconds=60)
    assert host.states["ops"].last_failure_at == health.last_failure_at
    (health,) = host.stores.notifications.channel_health()
    assert health.failures == 0
    assert health.last_success_at is not None
    assert health.last_error


@pytest.mark.parametrize(
    ("path", "command"),
    [
        (None, "monitor"),
        (SYSTEM_CONFIG, "monitor"),
        (Path("/srv/my monitor/config.toml"), "monitor --config '/srv/my monitor/config.toml'"),
    ],
)
def test_origin_names_a_configuration_that_is_not_the_default(path, command):
    assert origin_of(Config(path=path), "web1", "http://127.0.0.1:10190/") == Origin(
        "web1", "http://127.0.0.1:10190/", command
    )

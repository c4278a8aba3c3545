"""What systemd hears, and when: ready after a stored sample and an open port, alive by nothing but samples."""

import os
import socket
from dataclasses import replace

import pytest

from monitor.daemon.sd_notify import START_SECONDS, Notifier
from monitor.state import summary

pytestmark = pytest.mark.unit


class Manager:
    """The other end of the socket."""

    def __init__(self, name, shown):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name)
        self.socket.setblocking(False)
        self.environ = {"NOTIFY_SOCKET": shown}

    def heard(self):
        """All messages since the last look."""
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return found


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    name = str(tmp_path / "notify")
    made = Manager(name, name) if request.param == "path" else Manager("\0" + name, "@" + name)
    yield made
    made.socket.close()


@pytest.fixture
def ready(manager):
    notifier = Notifier(manager.environ)
    notifier.opening(5.0)
    notifier.opened(15.0)
    notifier.sampled("sampling", stored=True)
    manager.heard()
    return notifier


def test_ready_is_said_after_an_open_port_and_a_stored_sample(manager):
    notifier = Notifier(manager.environ)
    notifier.opening(5.0)
    notifier.opened(15.0)
    assert not [message for message in manager.heard() if "READY" in message]
    notifier.sampled("sampling", stored=False)
    assert manager.heard() == [f"EXTEND_TIMEOUT_USEC={(5 + START_SECONDS) * 1_000_000}"]
    notifier.sampled("sampling; model 1 serves", stored=True)
    assert manager.heard() == ["READY=1\nWATCHDOG=1\nSTATUS=sampling; model 1 serves"]


def test_a_sample_before_the_port_is_open_makes_ready_when_it_opens(manager):
    notifier = Notifier(manager.environ)
    notifier.opening(3600.0)
    notifier.sampled("sampling", stored=True)
    assert not [message for message in manager.heard() if "READY" in message]
    notifier.opened(10_800.0)
    assert manager.heard() == ["READY=1"]


def test_only_samples_feed_the_watchdog_and_a_line_is_said_once(manager, ready):
    for line in ("sampling", "sampling", "sampling\nmore"):
        ready.sampled(line, stored=True)
    ready.kept()
    assert manager.heard() == ["WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1\nSTATUS=sampling more", "READY=1"]


def test_a_stall_is_told_to_people_and_feeds_nothing(manager, ready):
    for _ in range(2):
        ready.stalled("not sampling: no sample for 15 s")
    assert manager.heard() == ["STATUS=not sampling: no sample for 15 s"]
    ready.sampled("sampling", stored=True)
    assert manager.heard() == ["WATCHDOG=1\nSTATUS=sampling"]


def test_samples_that_wait_for_the_database_feed_it_too(manager, ready):
    ready.sampled("sampling", stored=False)
    assert manager.heard() == ["WATCHDOG=1"]


@pytest.mark.parametrize(("interval", "expected"), [(5.0, 60_000_000), (3600.0, 10_800_000_000)])
def test_a_long_interval_is_no_hang(manager, interval, expected):
    notifier = Notifier({**manager.environ, "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())})
    notifier.opening(interval)
    notifier.opened(3 * interval)
    assert f"WATCHDOG_USEC={expected}" in manager.heard()


@pytest.mark.parametrize("environ", [{}, {"WATCHDOG_USEC": "junk"}, {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"}])
def test_no_watchdog_or_that_of_another_process_is_left_alone(manager, environ):
    notifier = Notifier({**manager.environ, **environ})
    notifier.opening(5.0)
    notifier.opened(15.0)
    assert not [message for message in manager.heard() if "WATCHDOG_USEC" in message]


def test_a_reload_is_framed_with_the_time_it_began(manager, ready):
    ready.reloading()
    (begun,) = manager.heard()
    assert begun.startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert int(begun.rpartition("=")[2]) > 0
    ready.opening(5.0)
    ready.opened(15.0)
    assert manager.heard() == ["READY=1"]


def test_stopping_is_said(manager, ready):
    ready.stopping()
    assert manager.heard() == ["STOPPING=1\nSTATUS=stopping"]


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "@nobody-listens-here", "vsock:2:1234"])
def test_without_a_manager_that_listens_nothing_happens(address, caplog):
    notifier = Notifier({"NOTIFY_SOCKET": address} if address else {})
    notifier.opening(5.0)
    notifier.opened(15.0)
    for _ in range(3):
        notifier.sampled("sampling", stored=True)
    notifier.stopping()
    assert len(caplog.records) == (1 if address else 0)


def test_a_manager_that_does_not_read_holds_nobody_up(manager, ready):
    for _ in range(10_000):
        ready.sampled("sampling", stored=True)
    assert len(manager.heard()) < 10_000


def test_the_line_says_what_serves_and_what_is_predicted(live, overview):
    line = summary(replace(live, buffered=0), overview)
    assert line == "sampling; model 3 serves; high load: 70% within 5 min (warning)"
    assert summary(replace(live, forecast=None, model_id=None), None) == (
        "sampling; 4 samples wait for the database; no model serves yet"
    )

"""Tests of the notifications to systemd."""

import os
import socket

import pytest

from monitor.daemon.sd_notify import Notifier

pytestmark = pytest.mark.unit


class Manager:
    """Receiving end of the notification socket."""

    def __init__(self, name, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name)
        self.socket.setblocking(False)
        self.environ = {"NOTIFY_SOCKET": address}

    def messages(self):
        """Return all messages since the last call."""
        messages = []
        while True:
            try:
                messages.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return messages


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    name = str(tmp_path / "notify")
    systemd = Manager(name, name) if request.param == "path" else Manager("\0" + name, "@" + name)
    yield systemd
    systemd.socket.close()


@pytest.fixture
def ready(manager):
    notifier = Notifier(manager.environ)
    notifier.opening(5.0)
    notifier.opened(15.0)
    notifier.sampled("sampling")
    manager.messages()
    return notifier


def test_notifier_sends_ready_after_open_port_and_sample(manager):
    notifier = Notifier(manager.environ)
    notifier.opening(5.0)
    notifier.opened(15.0)
    assert manager.messages() == ["EXTEND_TIMEOUT_USEC=65000000"] * 2
    notifier.sampled("sampling; model 1 serves")
    assert manager.messages() == ["READY=1\nWATCHDOG=1\nSTATUS=sampling; model 1 serves"]


def test_notifier_sends_ready_when_port_opens_after_sample(manager):
    notifier = Notifier(manager.environ)
    notifier.opening(3600.0)
    notifier.sampled("sampling")
    assert not [message for message in manager.messages() if "READY" in message]
    notifier.opened(10_800.0)
    assert manager.messages() == ["READY=1"]


def test_notifier_resets_watchdog_per_sample_and_sends_changed_status_only(manager, ready):
    for line in ("sampling", "sampling", "sampling\nmore"):
        ready.sampled(line)
    ready.reload_failed()
    assert manager.messages() == ["WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1\nSTATUS=sampling more", "READY=1"]


def test_notifier_reports_stall_without_resetting_watchdog(manager, ready):
    for _ in range(2):
        ready.stalled("not sampling: no sample for 15 s")
    assert manager.messages() == ["STATUS=not sampling: no sample for 15 s"]
    ready.sampled("sampling")
    assert manager.messages() == ["WATCHDOG=1\nSTATUS=sampling"]


def test_notifier_resets_watchdog_for_buffered_samples(manager, ready):
    ready.sampled("sampling")
    assert manager.messages() == ["WATCHDOG=1"]


@pytest.mark.parametrize(("interval", "expected"), [(5.0, 60_000_000), (3600.0, 10_800_000_000)])
def test_notifier_extends_watchdog_for_long_interval(manager, interval, expected):
    notifier = Notifier({**manager.environ, "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())})
    notifier.opening(interval)
    notifier.opened(3 * interval)
    assert f"WATCHDOG_USEC={expected}" in manager.messages()


@pytest.mark.parametrize("environ", [{}, {"WATCHDOG_USEC": "junk"}, {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"}])
def test_notifier_ignores_absent_or_foreign_watchdog(manager, environ):
    notifier = Notifier({**manager.environ, **environ})
    notifier.opening(5.0)
    notifier.opened(15.0)
    assert not [message for message in manager.messages() if "WATCHDOG_USEC" in message]


def test_notifier_sends_reload_with_start_time(manager, ready):
    ready.reloading()
    (message,) = manager.messages()
    assert message.startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert int(message.rpartition("=")[2]) > 0
    ready.opening(5.0)
    ready.opened(15.0)
    assert manager.messages() == ["READY=1"]


def test_notifier_sends_stopping(manager, ready):
    ready.stopping()
    assert manager.messages() == ["STOPPING=1\nSTATUS=stopping"]


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "@nobody-listens-here", "vsock:2:1234"])
def test_notifier_logs_unreachable_socket_once(address, caplog):
    notifier = Notifier({"NOTIFY_SOCKET": address} if address else {})
    notifier.opening(5.0)
    notifier.opened(15.0)
    for _ in range(3):
        notifier.sampled("sampling")
    notifier.stopping()
    assert len(caplog.records) == (1 if address else 0)


def test_notifier_does_not_block_on_full_socket(manager, ready):
    for _ in range(10_000):
        ready.sampled("sampling")
    assert len(manager.messages()) < 10_000

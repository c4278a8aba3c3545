"""Notifications of a real daemon to a real receiver: kill -9, restart, reload, a receiver that hangs."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from .conftest import create_database
from .receivers import HttpReceiver

pytestmark = pytest.mark.integration

PATIENCE = 60.0

CONFIG = """
[sampling]
interval = "1s"
[storage]
url = "{url}"
[high_load]
rules = [{{ memory_usage = {bound} }}]
sustained = "1s"
[web]
listen = "127.0.0.1:{port}"
[notify]
clear_after = "4s"
[notify.channels.ops]
url = "{receiver}/SECRET"
timeout = "30s"
"""

ALWAYS, NEVER = 0.001, 0.9999
"""Bounds of the memory in use: load that is always high, and load that is never high."""


class Daemon:
    """A daemon process with its configuration."""

    def __init__(self, directory, receiver):
        self.directory = directory
        self.receiver = receiver
        self.config = directory / "config.toml"
        self.url = create_database(directory / "monitor.db")
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        self.configure(ALWAYS)

    def configure(self, bound, path=""):
        keys = {"url": self.url, "bound": bound, "port": self.port, "receiver": f"{self.receiver.url}{path}"}
        self.config.write_text(CONFIG.format(**keys))

    def start(self):
        command = [sys.executable, "-m", "monitor", "--config", str(self.config), "run"]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(20)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as response:
            return response.read().decode()

    def metric(self, name):
        try:
            lines = self.get("/metrics").splitlines()
        except OSError:
            return None
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), None)

    def wait_for(self, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, self.log
            time.sleep(0.05)

    @property
    def log(self):
        return (self.directory / "log").read_text()


@pytest.fixture
def daemon(tmp_path):
    with HttpReceiver() as receiver:
        running = Daemon(tmp_path, receiver)
        running.start()
        yield running
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


def test_daemon_notifies_at_least_once_and_samples_meanwhile(daemon):
    receiver = daemon.receiver
    delivered = 'monitor_notifications_total{channel="ops",outcome="delivered"}'

    # Killed between the request and the record of its delivery: sent again, with the same key.
    receiver.answers = ["hang"]
    receiver.wait_for(1, PATIENCE)
    daemon.stop(signal.SIGKILL)
    receiver.status = 500
    daemon.start()
    receiver.wait_for(2, PATIENCE)
    assert receiver.changes == ["raised", "raised"]
    assert len(set(receiver.keys)) == 1

    # A restart delivers what waits, once.
    assert daemon.stop() == 0
    receiver.status = 200
    daemon.start()
    daemon.wait_for(lambda: daemon.metric(delivered) == 1)
    assert len(set(receiver.keys)) == 1
    assert len(receiver.requests) == 3

    # A receiver that hangs delays no sample. A reload with another address of the channel loses nothing.
    receiver.answers = ["hang"]
    daemon.configure(NEVER)
    daemon.process.send_signal(signal.SIGHUP)
    receiver.wait_for(4, PATIENCE)
    samples = daemon.metric("monitor_samples_total")
    daemon.wait_for(lambda: daemon.metric("monitor_samples_total") >= samples + 4)
    assert daemon.metric("monitor_samples_missed_total") == 0
    daemon.configure(NEVER, path="/moved")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_for(lambda: daemon.log.count("configuration reloaded") == 2)
    receiver.release.set()
    daemon.wait_for(lambda: daemon.metric('monitor_notifications_pending{channel="ops"}') == 0)
    assert receiver.changes[3:] == ["cleared"] * len(receiver.changes[3:])
    assert len(set(receiver.keys)) == 2
    assert receiver.requests[-1][0] == "/moved/SECRET"

    # No output shows the secret, which is the path of the URL.
    shown = [daemon.log, daemon.get("/metrics"), daemon.get("/api/v1/status"), daemon.get("/")]
    assert daemon.stop() == 0
    assert "forced exit" not in daemon.log
    assert [text for text in shown if "SECRET" in text] == []


def test_stop_does_not_wait_for_a_receiver_that_hangs(daemon):
    daemon.receiver.answers = ["hang"]
    daemon.receiver.wait_for(1, PATIENCE)
    assert daemon.stop() == 0
    assert "forced exit" not in daemon.log
    assert "stopping" not in daemon.log.partition("daemon stopping")[2]


@pytest.mark.parametrize(("argument", "code"), [((), 1), (("--channel", "ops"), 0), (("--channel", "bad"), 1)])
def test_notify_test_prints_a_result_per_channel(admin, tmp_path, argument, code):
    with HttpReceiver() as receiver:
        receiver.status = 200
        (tmp_path / "url").write_text("http://127.0.0.1:1/SECRET")
        channels = f'[notify.channels.ops]\nurl = "{receiver.url}/SECRET"\n[notify.channels.bad]\nurl_file = "url"\n'
        admin.config.write_text(admin.config.read_text() + channels)
        exit_code, out, err = admin("notify", "test", *argument, "--json")
    results = {result["channel"]: result for result in json.loads(out)}
    assert (exit_code, err) == (code, "")
    names = {"ops", "bad"} if not argument else {argument[1]}
    assert set(results) == names
    assert {name for name, result in results.items() if result["delivered"]} == names & {"ops"}
    assert "SECRET" not in out
    assert receiver.changes == ["test"] * ("ops" in names)


def test_notify_test_needs_a_channel(admin):
    assert admin("notify", "test")[0] == 2
    admin.config.write_text(f'{admin.config.read_text()}[notify.channels.ops]\nurl = "http://127.0.0.1:1/"\n')
    assert admin("notify", "test", "--channel", "op")[0] == 2

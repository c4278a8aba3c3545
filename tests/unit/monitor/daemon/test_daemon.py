"""Tests of the running daemon: what a reload replaces, what it keeps, and what a failed reload leaves."""

import http.client
import re
import socket
import threading
import time

import pytest

from monitor.config.loader import load_config
from monitor.daemon.daemon import Daemon
from monitor.daemon.sd_notify import Notifier
from monitor.errors import MonitorError
from storage import Sample, StorageError, open_database

pytestmark = pytest.mark.unit

PATIENCE = 30.0


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def status(port, path="/metrics"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


class RecordingNotifier(Notifier):
    """Notifier that records the messages, as if systemd received them."""

    def __init__(self):
        super().__init__({})
        self.messages = []

    def _send(self, *assignments):
        self.messages += assignments


class Running:
    """Daemon in this process, with its configuration file."""

    def __init__(self, directory):
        self.directory = directory
        self.file = directory / "config.toml"
        self.port = free_port()
        self.notifier = RecordingNotifier()
        self.configure()
        self.daemon = Daemon(load_config(self.file), self.notifier)

    def configure(self, *, database="monitor.db", port=None, host="127.0.0.1", interval="1s", more=""):
        self.file.write_text(
            f'[sampling]\ninterval = "{interval}"\n[storage]\nurl = "sqlite:///{self.directory}/{database}"\n'
            f'[web]\nlisten = "{host}:{port or self.port}"\n{more}'
        )

    def reload(self, **keys):
        self.configure(**keys)
        self.daemon.reload()
        return self.state.reload_successful

    @property
    def state(self):
        return self.daemon.holder.state()

    def wait_for_samples(self, count):
        wait_for(lambda: self.state.live is not None and self.state.live.samples_total >= count)

    def stored(self, database="monitor.db"):
        with open_database(f"sqlite:///{self.directory}/{database}") as opened, opened.reading() as connection:
            return [at for (at,) in connection.exec_driver_sql("SELECT at FROM samples ORDER BY at")]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    started = Running(tmp_path_factory.mktemp("daemon"))
    yield started
    assert started.daemon.close()


@pytest.fixture
def running(shared):
    """Return the daemon that all tests share, with its first configuration in effect."""
    assert shared.reload()
    shared.notifier.messages.clear()
    return shared


def permanent_threads():
    """Return the names of the threads except those of pools, "POOL_NUMBER", which start on demand."""
    names = sorted(thread.name for thread in threading.enumerate())
    return [name for name in names if not re.search(r"_\d+$", name)]


def test_reload_keeps_sampler_counters_live_state_and_server(running):
    wait_for(lambda: running.state.live is not None and running.state.live.model_id is not None)
    before = running.state
    permanent = permanent_threads()
    assert running.reload(more="host_metrics = false\n")
    after = running.state
    assert after.live.samples_total >= before.live.samples_total
    assert after.live.model_id == before.live.model_id is not None
    assert after.jobs["sampling_cycle"].runs >= before.jobs["sampling_cycle"].runs
    assert (before.host_metrics, after.host_metrics) == (True, False)
    assert after.reloaded_at > before.reloaded_at
    running.wait_for_samples(before.live.samples_total + 1)
    # A rate needs the previous reading of its source.
    assert running.state.live.sample.cpu_usage is not None
    assert running.state.live.samples_missed >= before.live.samples_missed
    assert status(running.port) == 200
    assert permanent_threads() == permanent


def test_reload_moves_the_server_and_closes_the_previous_address(running):
    previous = running.port
    port = free_port()
    assert running.reload(port=port)
    assert status(port) == 200
    with pytest.raises(ConnectionRefusedError):
        status(previous)
    assert running.reload(port=port, host="0.0.0.0")
    assert status(port) == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_reload_to_an_occupied_port_changes_nothing(running, host, caplog):
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        assert not running.reload(port=occupant.getsockname()[1], host=host, interval="2s")
    assert "configuration reload failed" in [record.message for record in caplog.records]
    assert status(running.port) == 200
    failures = running.state.reload_failures
    assert failures > 0
    assert running.reload()
    assert running.state.reload_failures == failures


@pytest.mark.parametrize(
    "keys",
    [
        {"more": "unknown = 1\n"},
        {"more": "x = " + "[" * 5000 + "]" * 5000 + "\n"},
        {"database": "missing/\0.db"},
        {"more": 'config_file = "missing.yml"\n'},
        {"database": "directory"},
    ],
    ids=["unknown key", "deeply nested", "unusable name", "missing web configuration", "database is a directory"],
)
def test_failed_reload_leaves_everything_running(running, keys):
    (running.directory / "directory").mkdir(exist_ok=True)
    running.wait_for_samples(1)
    total = running.state.live.samples_total
    assert not running.reload(**keys)
    running.wait_for_samples(total + 1)
    assert status(running.port) == 200
    assert running.daemon.core.scheduler.needs_restart is False


def test_reload_to_another_database_stores_the_waiting_samples(running, monkeypatch):
    running.wait_for_samples(1)

    def fail(*_):
        raise StorageError("database is gone")

    monkeypatch.setattr(running.daemon.core._buffer._cycles, "append", fail)
    waiting = Sample(1_700_000_000.0, cpu_usage=0.5)
    running.daemon.core._buffer.add(waiting)
    assert running.reload(database="other.db")
    wait_for(lambda: waiting.at in running.stored("other.db"))
    assert waiting.at not in running.stored()
    with open_database(f"sqlite:///{running.directory}/monitor.db") as database, database.lock("daemon"):
        assert not running.reload()
    assert running.reload()


def test_reload_changes_the_interval(running):
    running.wait_for_samples(1)
    assert running.reload(interval="2s")
    wait_for(lambda: running.state.live is not None and running.state.live.sample.at % 2 == 0)
    assert running.daemon.core.scheduler._meters["sampling_cycle"]._interval == 2.0


def test_reload_while_a_job_hangs_continues_with_the_other_jobs(running):
    release, hangs = threading.Event(), threading.Event()
    scheduler = running.daemon.core.scheduler
    jobs = {job.name: job for job in scheduler._jobs}

    def hang():
        hangs.set()
        release.wait(PATIENCE)

    job = jobs["retention"]
    runs = scheduler.states()["retention"].runs
    scheduler.replace([*(set(scheduler._jobs) - {job}), type(job)("retention", 0.05, hang)])
    assert hangs.wait(PATIENCE)
    try:
        assert running.reload(interval="2s")
        running.wait_for_samples(running.state.live.samples_total + 1 if running.state.live else 1)
        assert scheduler.states()["retention"].runs == runs
    finally:
        release.set()


def test_second_daemon_on_the_same_database_is_refused(running, tmp_path):
    running.configure(port=free_port())
    with pytest.raises(MonitorError, match="another daemon"):
        Daemon(load_config(running.file), Notifier({}))


def test_notifications_frame_each_reload(running):
    wait_for(lambda: running.notifier._ready)
    running.notifier.messages.clear()
    running.reload(more="unknown = 1\n")
    running.reload()
    framed = [text for text in running.notifier.messages if text in ("RELOADING=1", "READY=1")]
    assert framed == ["RELOADING=1", "READY=1", "RELOADING=1", "READY=1"]

"""Tests of the daemon's lifecycle."""

import signal
import subprocess
import sys

import pytest

from monitor.config.loader import Config
from monitor.daemon import lifecycle
from monitor.daemon.reloader import Reloader
from monitor.daemon.signals import blocked_signals
from storage import StorageError, StorageErrorKind

pytestmark = pytest.mark.unit

NOT_NEEDED = (
    "numpy.random",
    "model.nn.training",
    "model.training.pipeline",
    "alembic",
    "rich",
    "jinja2",
    "monitor.sampling.csv_traces",
)


class FakeDaemon:
    """Daemon that records the calls, and sends itself the signals of `script`: one for each check of the jobs."""

    script = ()
    stops = True
    fatal_error = None

    def __init__(self, config, notifier):
        self.calls = ["start"]
        self.remaining = list(self.script)
        self.core = self.scheduler = self.holder = self
        FakeDaemon.last = self

    def log_start(self):
        signal.raise_signal(self.remaining.pop(0))

    def check(self):
        self.calls.append("check")
        signal.raise_signal(self.remaining.pop(0))

    def report_stall(self):
        pass

    def reload(self):
        self.calls.append("reload")

    def close(self):
        self.calls.append("close")
        return self.stops


class ExitError(Exception):
    """Raised instead of the end of the process."""


@pytest.fixture
def run(monkeypatch):
    """Return a function that runs the lifecycle with signals, and returns the calls of the daemon."""

    def exit_now(code):
        raise ExitError(code)

    monkeypatch.setattr(lifecycle, "Daemon", FakeDaemon)
    monkeypatch.setattr(lifecycle.os, "_exit", exit_now)

    def start(*script, stops=True):
        monkeypatch.setattr(FakeDaemon, "script", script)
        monkeypatch.setattr(FakeDaemon, "stops", stops)
        lifecycle.run(Config())
        return FakeDaemon.last.calls

    return start


def test_run_closes_the_daemon_after_a_stop(run):
    assert run(signal.SIGTERM) == ["start", "close"]
    assert run(signal.SIGINT) == ["start", "close"]


def test_run_reloads_on_sighup_and_continues(run):
    calls = run(signal.SIGHUP, signal.SIGHUP, signal.SIGTERM)
    assert calls[-1] == "close"
    assert calls.count("check") == 2
    assert calls.count("reload") in (1, 2)


def test_run_starts_nothing_if_a_stop_is_pending(run, monkeypatch):
    FakeDaemon.last = None
    with blocked_signals():
        signal.raise_signal(signal.SIGTERM)
        lifecycle.run(Config())
    assert FakeDaemon.last is None


def test_run_exits_with_0_if_a_job_does_not_stop(run):
    with pytest.raises(ExitError) as error:
        run(signal.SIGTERM, stops=False)
    assert error.value.args == (0,)


def test_run_ends_with_the_error_of_a_database_that_cannot_be_used(run, monkeypatch):
    error = StorageError("of another program", StorageErrorKind.FOREIGN_DATABASE)
    monkeypatch.setattr(FakeDaemon, "fatal_error", error)
    with pytest.raises(StorageError) as caught:
        run(signal.SIGHUP)
    assert (caught.value, FakeDaemon.last.calls) == (error, ["start", "close"])


def test_run_exits_with_1_if_a_job_does_not_stop_after_an_error_of_the_database(run, monkeypatch):
    error = StorageError("of another program", StorageErrorKind.FOREIGN_DATABASE)
    monkeypatch.setattr(FakeDaemon, "fatal_error", error)
    with pytest.raises(ExitError) as ended:
        run(signal.SIGHUP, stops=False)
    assert ended.value.args == (1,)


def test_run_exits_with_0_if_a_reload_does_not_end(run, monkeypatch):
    monkeypatch.setattr(Reloader, "wait", lambda *_: False)
    with pytest.raises(ExitError) as error:
        run(signal.SIGTERM)
    assert error.value.args == (0,)
    assert FakeDaemon.last.calls == ["start", "close"]


def test_daemon_imports_nothing_that_only_trainings_and_commands_need():
    code = f"import monitor.daemon.lifecycle, sys; print([name for name in {NOT_NEEDED} if name in sys.modules])"
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert completed.stdout.strip() == "[]"

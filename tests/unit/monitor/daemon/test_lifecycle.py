"""Tests of the daemon's lifecycle."""

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.config.loader import Config
from monitor.daemon import lifecycle
from monitor.errors import ConfigError, MonitorError

pytestmark = pytest.mark.unit

FIRST = Config(path=Path("/etc/monitor/first.toml"))
SECOND = replace(FIRST, path=Path("/etc/monitor/second.toml"))

NOT_NEEDED = (
    "numpy.random",
    "model.nn.training",
    "model.training.pipeline",
    "alembic",
    "rich",
    "jinja2",
    "monitor.sampling.csv_traces",
)


@pytest.fixture
def run(monkeypatch):
    """Return a function that runs the daemon with fakes; it returns the opened configurations and reload results.

    The daemon reads the configurations in turn, one per reload, and then stops. Openings in `refused` fail, counted
    from 0.
    """

    def start(config, reloads=(), refused=()):
        opened = []
        remaining = list(reloads)

        @contextmanager
        def open_daemon(config, notifier, reload):
            opened.append((config, reload.successful))
            if len(opened) - 1 in refused:
                raise MonitorError("refused")
            yield None

        def serve(config, daemon, notifier):
            return remaining.pop(0) if remaining else None

        monkeypatch.setattr(lifecycle, "_opened", open_daemon)
        monkeypatch.setattr(lifecycle, "_serve", serve)
        lifecycle.run(config)
        return opened

    return start


def test_run_opens_each_new_configuration(run):
    assert run(FIRST, reloads=[SECOND]) == [(FIRST, True), (SECOND, True)]


def test_run_opens_previous_configuration_again_if_the_new_one_cannot_be_opened(run, caplog):
    assert run(FIRST, reloads=[SECOND], refused=[1]) == [(FIRST, True), (SECOND, True), (FIRST, False)]
    assert [record.message for record in caplog.records] == ["configuration reload failed"]


def test_run_raises_if_the_first_configuration_cannot_be_opened(run):
    with pytest.raises(MonitorError, match="refused"):
        run(FIRST, refused=[0])


def test_run_raises_if_the_previous_configuration_cannot_be_opened_again(run):
    with pytest.raises(MonitorError, match="refused"):
        run(FIRST, reloads=[SECOND], refused=[1, 2])


def test_invalid_configuration_is_recorded_and_raised(monkeypatch):
    class Holder:
        failed = False

        def reload_failed(self):
            self.failed = True

    def refuse(path, checks):
        raise ConfigError(["web.listen: in use"])

    holder = Holder()
    monkeypatch.setattr(lifecycle, "load_config", refuse)
    with pytest.raises(ConfigError):
        lifecycle._load_config(FIRST, holder)
    assert holder.failed


def test_daemon_imports_nothing_that_only_trainings_and_commands_need():
    code = f"import monitor.daemon.lifecycle, sys; print([name for name in {NOT_NEEDED} if name in sys.modules])"
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert completed.stdout.strip() == "[]"

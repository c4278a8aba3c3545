"""`monitor run`."""

import pytest

from monitor.cli.exit_codes import ExitCode
from monitor.daemon import lifecycle

pytestmark = pytest.mark.unit


def test_run_starts_the_daemon_with_the_configuration(run, monkeypatch):
    configs = []
    monkeypatch.setattr(lifecycle, "run", configs.append)
    assert run("run").code == ExitCode.DONE
    assert [config.path for config in configs] == [run.config]


def test_run_with_an_invalid_configuration_exits_with_2_before_the_start(run, monkeypatch):
    monkeypatch.setattr(lifecycle, "run", pytest.fail)
    run.config.write_text("[gate]\nmargn = 1\n")
    result = run("run")
    assert (result.code, len(result.errors.splitlines())) == (ExitCode.USAGE, 1)
    assert not run.database.exists()

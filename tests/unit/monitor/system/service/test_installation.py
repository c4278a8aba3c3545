"""Installation and removal of the systemd service."""

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.errors import MonitorError
from monitor.system.service import installation
from monitor.system.service.installation import UnitChange, install, uninstall
from monitor.system.service.unit import COMPANIONS, FLEET_SERVICE, HOST_SERVICE, Program, unit_text

pytestmark = pytest.mark.unit

PACKAGED = Program(("/usr/bin/monitor",), (Path("/usr"), Path("/usr/bin/monitor")))
DEFAULT = "[log]\n"


@pytest.fixture
def systemctl_calls(tmp_path, monkeypatch):
    """Simulate root on a host with systemd, with all paths below a directory; return the calls of systemctl."""
    calls = []

    def systemctl(*arguments, check=True):
        calls.append(" ".join(arguments))
        return 3 if arguments[0] == "is-active" else 0

    monkeypatch.setattr(installation, "UNITS", tmp_path / "units")
    service = replace(HOST_SERVICE, state=str(tmp_path / "state"), config=tmp_path / "etc" / "config.toml")
    monkeypatch.setattr(installation, "HOST_SERVICE", service)
    monkeypatch.setattr(installation, "_require_systemd", lambda *_, **__: None)
    monkeypatch.setattr(installation, "unreadable_paths", lambda _: [])
    monkeypatch.setattr(installation, "systemctl", systemctl)
    (tmp_path / "units").mkdir()
    return calls


@pytest.fixture
def unit(tmp_path):
    return tmp_path / "units" / "monitor.service"


@pytest.fixture
def config(tmp_path):
    return tmp_path / "etc" / "config.toml"


def run_install(config, stays_local=lambda _: True):
    return install(PACKAGED, config, default_config=DEFAULT, stays_local=stays_local)


def test_install_writes_the_missing_files(systemctl_calls, unit, config):
    result = run_install(config)
    assert (result.unit_change, result.config_written) == (UnitChange.WRITTEN, True)
    assert result.next_command == "systemctl enable --now monitor.service"
    assert config.read_text() == DEFAULT
    assert (config.parent.stat().st_mode & 0o777, config.stat().st_mode & 0o777) == (0o755, 0o644)
    assert unit.read_text() == unit_text(PACKAGED, config)
    assert {path.name for path in unit.parent.iterdir()} == {"monitor.service", *COMPANIONS}
    for name in COMPANIONS:
        assert (unit.parent / name).read_text() == unit_text(PACKAGED, config, name=name)
    assert "daemon-reload" in systemctl_calls


def test_install_replaces_the_unit_and_keeps_the_configuration(systemctl_calls, unit, config):
    run_install(config)
    config.write_text("[log]\nlevel = 'debug'\n")
    unit.write_text(unit.read_text().replace("RestartSec=1", "RestartSec=9"))
    result = run_install(config)
    assert (result.unit_change, result.config_written) == (UnitChange.REPLACED, False)
    assert config.read_text() == "[log]\nlevel = 'debug'\n"
    assert unit.read_text() == unit_text(PACKAGED, config)
    assert run_install(config).unit_change == UnitChange.UNCHANGED


def test_install_writes_nothing_if_the_configuration_is_invalid(systemctl_calls, unit, config):
    def reject(path):
        raise MonitorError(f"{path}: invalid")

    config.parent.mkdir()
    config.write_text("x")
    with pytest.raises(MonitorError, match="invalid"):
        run_install(config, reject)
    assert list(unit.parent.iterdir()) == []
    assert systemctl_calls == []


def test_foreign_unit_is_neither_replaced_nor_removed(systemctl_calls, unit, config):
    unit.write_text("[Service]\nExecStart=/usr/bin/other\n")
    for action in (lambda: run_install(config), uninstall):
        with pytest.raises(MonitorError, match=str(unit)):
            action()
    assert "other" in unit.read_text()
    assert systemctl_calls == []


def test_install_reports_a_changed_companion(systemctl_calls, unit, config):
    run_install(config)
    companion = unit.parent / COMPANIONS[1]
    companion.write_text(companion.read_text() + "\n")
    assert run_install(config).unit_change == UnitChange.REPLACED
    assert companion.read_text() == unit_text(PACKAGED, config, name=companion.name)


@pytest.mark.parametrize("name", COMPANIONS)
def test_foreign_companion_is_neither_replaced_nor_removed(systemctl_calls, unit, config, name):
    (unit.parent / name).write_text("[Unit]\n")
    for action in (lambda: run_install(config), uninstall):
        with pytest.raises(MonitorError, match=name):
            action()
    assert [path.name for path in unit.parent.iterdir()] == [name]
    assert systemctl_calls == []


def test_uninstall_removes_the_unit_and_keeps_the_rest(systemctl_calls, unit, config, tmp_path):
    run_install(config)
    (tmp_path / "state").mkdir()
    systemctl_calls.clear()
    result = uninstall()
    assert (result.removed, result.kept) == (True, (str(config), str(tmp_path / "state")))
    stopped = ["disable --now --quiet monitor.service", "stop --quiet monitor-processes.socket"]
    assert systemctl_calls[:3] == [*stopped, "daemon-reload"]
    assert list(unit.parent.iterdir()) == []
    assert config.exists()


def test_uninstall_without_a_unit_runs_no_systemctl(systemctl_calls):
    assert not uninstall().removed
    assert systemctl_calls == []


def test_systemctl_reports_the_last_line_of_a_failure(tmp_path, monkeypatch):
    script = tmp_path / "systemctl"
    script.write_text("#!/bin/sh\necho first >&2\necho last >&2\nexit 4\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert installation.systemctl("is-active", check=False) == 4
    with pytest.raises(MonitorError, match="systemctl start x: last"):
        installation.systemctl("start", "x")


def test_fleet_service_is_installed_next_to_the_other(systemctl_calls, tmp_path):
    config = tmp_path / "etc" / "fleet.toml"
    result = installation.install(
        PACKAGED, config, default_config="x = 1\n", stays_local=lambda _: True, service=FLEET_SERVICE
    )
    assert result.unit == tmp_path / "units" / "monitor-fleet.service"
    assert [path.name for path in (tmp_path / "units").iterdir()] == ["monitor-fleet.service"]
    assert installation.uninstall().removed is False
    assert installation.uninstall(FLEET_SERVICE).removed is True

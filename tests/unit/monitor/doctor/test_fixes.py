"""Fixes with and without systemd."""

import pytest

from monitor.doctor import fixes
from monitor.system.service import unit

pytestmark = pytest.mark.unit

FIXES = (
    fixes.show_log, fixes.start_daemon, fixes.restart_daemon, fixes.reload_daemon, fixes.leave_root,
    fixes.synchronise_clock,
)  # fmt: skip
COMMANDS = ("systemctl", "journalctl", "timedatectl", "install-service")


@pytest.mark.parametrize("systemd", [True, False])
@pytest.mark.parametrize("fix", FIXES)
def test_fix_has_a_command_of_systemd_only_where_it_runs(monkeypatch, tmp_path, fix, systemd):
    monkeypatch.setattr(unit, "SYSTEMD", tmp_path if systemd else tmp_path / "missing")
    assert any(command in fix() for command in COMMANDS) == systemd

"""systemd unit: text of the unit, and what the sandbox exposes."""

import sys
from pathlib import Path

import pytest

from monitor.errors import MonitorError
from monitor.system.service.unit import (
    COMPANIONS,
    HIDDEN,
    NAME,
    TEMPLATES,
    Program,
    bound_paths,
    running_program,
    unit_text,
    unreadable_paths,
)

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[5]
PROCESSES = "-/run/monitor-processes/socket"
PACKAGED = Program(("/usr/bin/monitor",), (Path("/usr"), Path("/usr/bin/monitor")))


def values(text, key):
    """Return the values of a key in a unit."""
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


@pytest.mark.parametrize("name", [NAME, *COMPANIONS])
def test_unit_of_a_packaged_program_is_the_template(name):
    assert unit_text(PACKAGED, name=name) == (TEMPLATES / name).read_text()


def test_companion_runs_its_own_command_with_the_configuration_of_the_service():
    text = unit_text(Program(("/opt/bin/monitor",), ()), Path("/srv/c.toml"), name="monitor-processes@.service")
    assert values(text, "ExecStart") == ["/opt/bin/monitor --config /srv/c.toml processes --json"]


@pytest.mark.parametrize(
    ("directory", "home", "temporary"),
    [
        ("/opt/monitor", ["yes"], []),
        ("/home/sre/monitor/.venv", ["tmpfs"], []),
        ("/root/.venv", ["tmpfs"], ["/root:ro,mode=0755"]),
        ("/tmp/try/.venv", ["tmpfs"], []),
    ],
)
def test_unit_exposes_only_the_program_of_a_hidden_directory(directory, home, temporary):
    needs = (Path(directory), Path(directory) / "bin" / "monitor", Path("/usr"))
    text = unit_text(Program((f"{directory}/bin/monitor",), needs))
    assert values(text, "ProtectHome") == home
    assert values(text, "TemporaryFileSystem") == [*temporary, "/run/monitor-processes:ro"]
    assert values(text, "BindReadOnlyPaths") == [*([directory] if home == ["tmpfs"] else []), PROCESSES]


def test_unit_quotes_special_characters():
    path = '/home/a b/50%/$x:"y"'
    text = unit_text(Program((path,), (Path(path),)))
    assert values(text, "ExecStart") == ['"/home/a b/50%%/$$x:\\"y\\"" --config /etc/monitor/config.toml run']
    assert values(text, "BindReadOnlyPaths") == ['"/home/a b/50%%/$x\\:\\"y\\""', PROCESSES]


def test_unit_filters_addresses_unless_other_hosts_may_connect():
    assert values(unit_text(PACKAGED), "IPAddressDeny") == ["any"]
    text = unit_text(PACKAGED, local_only=False)
    assert values(text, "IPAddressDeny") + values(text, "IPAddressAllow") == []
    assert "Clients" not in text
    assert len(text.splitlines()) == len((TEMPLATES / NAME).read_text().splitlines()) - 3


def test_unit_rejects_control_characters():
    with pytest.raises(MonitorError, match="control characters"):
        unit_text(Program(("/opt/a\nb",), ()))


def test_bound_paths_omits_paths_inside_others():
    needs = [Path(path) for path in ("/home/a/venv/bin/monitor", "/home/a/venv", "/home/a/python", "/usr/lib")]
    assert bound_paths(needs) == (Path("/home/a/python"), Path("/home/a/venv"))


def test_unreadable_paths_names_the_closed_directory(tmp_path):
    closed = tmp_path / "closed"
    (closed / "venv").mkdir(parents=True)
    (closed / "venv").chmod(0o755)
    closed.chmod(0o700)
    assert [str(closed) in line for line in unreadable_paths([closed])] == [True]
    # A path in a hidden directory is bound into the sandbox without its parents.
    is_hidden = any(closed.is_relative_to(directory) for directory in HIDDEN)
    assert bool(unreadable_paths([closed / "venv"])) != is_hidden
    (closed / "venv").chmod(0o750)
    assert len(unreadable_paths([closed / "venv"])) == 1


def test_running_program_rejects_an_installation_of_a_single_user(monkeypatch):
    monkeypatch.setattr("site.ENABLE_USER_SITE", True)
    monkeypatch.setattr("site.getusersitepackages", lambda: str(ROOT))
    with pytest.raises(MonitorError, match="single user"):
        running_program()


def test_running_program_needs_existing_paths():
    program = running_program()
    assert Path(program.command[0]).is_absolute()
    assert all(path.exists() for path in program.needs)


def test_running_program_without_a_script_ignores_the_working_directory(monkeypatch):
    monkeypatch.setattr("monitor.system.service.unit._find_script", lambda: None)
    assert running_program().command == (sys.executable, "-P", "-m", "monitor")

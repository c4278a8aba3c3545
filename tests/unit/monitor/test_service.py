"""The unit: one text for the shipped file and the installed one, and what is refused before anything is written."""

import sys
from pathlib import Path

import pytest

from monitor.cli.main import main
from monitor.errors import MonitorError
from monitor.system import systemd_unit as service
from monitor.system.systemd_unit import (
    TEMPLATE,
    Program,
    bound_paths,
    install,
    running_program,
    uninstall,
    unit_text,
    unreadable,
)

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
PACKAGED = Program(("/usr/bin/monitor",), (Path("/usr"), Path("/usr/bin/monitor")))


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Root on a machine with systemd, whose files lie below a directory; gives what systemctl was asked for."""
    asked = []

    def systemctl(*words, check=True):
        asked.append(" ".join(words))
        return 3 if words[0] == "is-active" else 0

    monkeypatch.setattr(service, "UNITS", tmp_path / "units")
    monkeypatch.setattr(service, "STATE", str(tmp_path / "state"))
    monkeypatch.setattr(service, "CONFIG", tmp_path / "etc" / "config.toml")
    monkeypatch.setattr(service, "_require", lambda *_: None)
    monkeypatch.setattr(service, "unreadable", lambda _: [])
    monkeypatch.setattr(service, "systemctl", systemctl)
    (tmp_path / "units").mkdir()
    return asked


def keys(text, name):
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{name}=")]


def test_the_shipped_unit_is_made_from_the_one_source():
    shipped = (ROOT / "deploy" / "monitor.service").read_text()
    assert shipped == TEMPLATE.read_text(), "run `make config`"
    assert shipped == unit_text(PACKAGED)


def test_print_writes_the_unit_for_this_very_installation(capsys):
    assert main(["install-service", "--print"]) == 0
    text = capsys.readouterr().out
    (command,) = keys(text, "ExecStart")
    assert command.endswith(" --config /etc/monitor/config.toml run")
    assert Path(command.split()[0]).is_absolute()
    assert text.startswith("# monitor: ")
    bound = [Path(path) for path in keys(text, "BindReadOnlyPaths")]
    for path in (Path(sys.prefix), Path(sys.base_prefix), ROOT):
        hidden = any(path.is_relative_to(place) for place in service.HIDDEN)
        assert hidden == any(path.is_relative_to(one) for one in bound)


def test_print_takes_the_configuration_that_is_named(capsys):
    assert main(["--config", "/srv/other.toml", "install-service", "--print"]) == 0
    assert "--config /srv/other.toml run\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("place", "home", "opened"),
    [
        ("/opt/monitor", ["yes"], []),
        ("/home/sre/monitor/.venv", ["tmpfs"], []),
        ("/root/.venv", ["tmpfs"], ["/root:ro,mode=0755"]),
        ("/tmp/try/.venv", ["tmpfs"], []),
    ],
)
def test_of_a_home_the_service_sees_the_program_and_nothing_else(place, home, opened):
    needs = (Path(place), Path(place) / "bin" / "monitor", Path("/usr"))
    text = unit_text(Program((f"{place}/bin/monitor",), needs))
    assert keys(text, "ProtectHome") == home
    assert keys(text, "TemporaryFileSystem") == opened
    assert keys(text, "BindReadOnlyPaths") == ([place] if home == ["tmpfs"] else [])


def test_a_path_within_another_is_bound_once():
    needs = [Path(path) for path in ("/home/a/venv/bin/monitor", "/home/a/venv", "/home/a/python", "/usr/lib")]
    assert bound_paths(needs) == (Path("/home/a/python"), Path("/home/a/venv"))


def test_odd_paths_are_written_as_systemd_reads_them():
    odd = '/home/a b/50%/$x:"y"'
    text = unit_text(Program((odd,), (Path(odd),)))
    assert keys(text, "ExecStart") == ['"/home/a b/50%%/$$x:\\"y\\"" --config /etc/monitor/config.toml run']
    assert keys(text, "BindReadOnlyPaths") == ['"/home/a b/50%%/$x\\:\\"y\\""']
    with pytest.raises(MonitorError, match="control characters"):
        unit_text(Program(("/opt/a\nb",), ()))


def test_what_the_services_user_may_not_read_is_named(tmp_path):
    closed = tmp_path / "closed"
    (closed / "venv").mkdir(parents=True)
    (closed / "venv").chmod(0o755)
    closed.chmod(0o700)
    # below /tmp the program is bound into the sandbox past its parents, elsewhere it is not
    assert [str(closed) in line for line in unreadable([closed])] == [True]
    hidden = any(closed.is_relative_to(place) for place in service.HIDDEN)
    assert bool(unreadable([closed / "venv"])) != hidden
    (closed / "venv").chmod(0o750)
    assert "chmod" in unreadable([closed / "venv"])[0]


def test_a_program_of_one_user_alone_is_refused(monkeypatch):
    monkeypatch.setattr("site.ENABLE_USER_SITE", True)
    monkeypatch.setattr("site.getusersitepackages", lambda: str(ROOT))
    with pytest.raises(MonitorError, match="for one user alone"):
        running_program()


@pytest.mark.parametrize("command", ["install-service", "uninstall-service"])
def test_all_that_lacks_is_named_in_one_line_and_nothing_is_written(command, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(service, "UNITS", tmp_path)
    assert main([command]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"monitor: {command} needs root (it changes {tmp_path}; try sudo) and systemctl")
    assert ("--print" in err) == (command == "install-service")
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_installing_writes_what_is_absent_and_says_what_comes_next(machine, tmp_path):
    config = tmp_path / "etc" / "config.toml"
    said = install(PACKAGED, config)
    assert config.read_text() == (ROOT / "config.toml").read_text()
    assert (config.parent.stat().st_mode & 0o777, config.stat().st_mode & 0o777) == (0o755, 0o644)
    unit = tmp_path / "units" / "monitor.service"
    assert unit.read_text() == unit_text(PACKAGED, config)
    assert sorted(one.name for one in unit.parent.iterdir()) == ["monitor.service"]
    assert "daemon-reload" in machine
    assert any("systemctl enable --now monitor.service" in line for line in said)

    config.write_text("[log]\nlevel = 'debug'\n")
    unit.write_text(unit.read_text().replace("RestartSec=1", "RestartSec=9"))
    said = install(PACKAGED, config)
    assert config.read_text() == "[log]\nlevel = 'debug'\n"
    assert unit.read_text() == unit_text(PACKAGED, config)
    assert "renewed" in said[0]
    assert "is as it was" in install(PACKAGED, config)[0]


def test_a_configuration_that_cannot_be_used_stops_it_before_anything_is_written(machine, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text("[log]\nlevle = 'debug'\n")
    with pytest.raises(MonitorError, match="levle"):
        install(PACKAGED, config)
    assert list((tmp_path / "units").iterdir()) == []
    assert machine == []


def test_a_unit_of_somebody_else_is_left_alone(machine, tmp_path):
    unit = tmp_path / "units" / "monitor.service"
    unit.write_text("[Service]\nExecStart=/usr/bin/other\n")
    for work in (lambda: install(PACKAGED, tmp_path / "config.toml"), uninstall):
        with pytest.raises(MonitorError, match="move it away"):
            work()
    assert "other" in unit.read_text()
    assert machine == []


def test_uninstalling_stops_and_removes_the_unit_and_keeps_the_rest(machine, tmp_path):
    config = service.CONFIG
    install(PACKAGED, config)
    (tmp_path / "state").mkdir()
    machine.clear()
    said = "\n".join(uninstall())
    assert machine[:2] == ["disable --now --quiet monitor.service", "daemon-reload"]
    assert list((tmp_path / "units").iterdir()) == []
    assert config.exists()
    assert f"kept           {config}, {tmp_path / 'state'}" in said
    assert "nothing to stop" in "\n".join(uninstall())

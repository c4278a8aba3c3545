"""`monitor install-service`."""

import sys
from pathlib import Path

import pytest

from monitor.cli.commands.service.install_service import FLEET_CONFIG
from monitor.cli.exit_codes import ExitCode
from monitor.cli.main import main
from monitor.config.loader import load_config
from monitor.config.reference import default_file
from monitor.system.service import installation
from monitor.system.service.installation import Installation, UnitChange
from monitor.system.service.unit import HIDDEN

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[6]


def values(text, key):
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


def test_print_writes_the_unit_of_this_installation(capsys):
    assert main(["install-service", "--print"]) == ExitCode.DONE
    text = capsys.readouterr().out
    (command,) = values(text, "ExecStart")
    assert command.endswith(" --config /etc/monitor/config.toml run")
    assert Path(command.split()[0]).is_absolute()
    bound = [Path(path) for path in values(text, "BindReadOnlyPaths")]
    for path in (Path(sys.prefix), Path(sys.base_prefix), ROOT):
        is_hidden = any(path.is_relative_to(directory) for directory in HIDDEN)
        assert is_hidden == any(path.is_relative_to(mount) for mount in bound)


def test_print_uses_the_given_configuration(capsys):
    assert main(["--config", "/srv/other.toml", "install-service", "--print"]) == ExitCode.DONE
    assert "--config /srv/other.toml run\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("listen", "filters"), [("127.0.0.1:1", ["any"]), ("[::1]:1", ["any"]), ("0.0.0.0:1", []), ("invalid", ["any"])]
)
def test_print_filters_addresses_unless_other_hosts_may_connect(tmp_path, capsys, listen, filters):
    config = tmp_path / "config.toml"
    config.write_text(f'[web]\nlisten = "{listen}"\n')
    assert main(["--config", str(config), "install-service", "--print"]) == ExitCode.DONE
    assert values(capsys.readouterr().out, "IPAddressDeny") == filters


def test_install_passes_the_default_configuration_and_prints_the_next_command(monkeypatch, capsys):
    def install(program, config, *, default_config, stays_local, service):
        assert service.name == "monitor.service"
        assert default_config == default_file()
        return Installation(Path("/u/monitor.service"), UnitChange.WRITTEN, config, True, "systemctl go")

    monkeypatch.setattr(installation, "install", install)
    assert main(["install-service"]) == ExitCode.DONE
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["unit", "configuration", "history", "next", "then"]
    assert lines[3].split(maxsplit=1)[1] == "systemctl go"


def test_missing_requirements_fail_in_a_single_line_and_write_nothing(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(installation, "UNITS", tmp_path)
    assert main(["install-service"]) == ExitCode.FAILED
    output, errors = capsys.readouterr()
    (line,) = errors.splitlines()
    assert output == ""
    assert line.startswith("monitor: ")
    assert all(word in line for word in ("root", str(tmp_path), "systemctl", "--print"))
    assert list(tmp_path.iterdir()) == []


def test_fleet_unit_has_its_own_configuration_and_state(capsys):
    assert main(["install-service", "--fleet", "--print"]) == ExitCode.DONE
    unit = capsys.readouterr().out
    assert values(unit, "StateDirectory") == ["monitor-fleet"]
    assert values(unit, "ExecStart")[0].endswith("--config /etc/monitor/fleet.toml run")
    assert values(unit, "IPAddressDeny") == ["any"]


@pytest.mark.parametrize(("url", "filters"), [("http://127.0.0.1:9090", ["any"]), ("http://prometheus:9090", [])])
def test_fleet_unit_allows_connections_to_its_source(tmp_path, capsys, url, filters):
    config = tmp_path / "fleet.toml"
    config.write_text(f'[source]\nkind = "prometheus"\nurl = "{url}"\n')
    assert main(["--config", str(config), "install-service", "--fleet", "--print"]) == ExitCode.DONE
    assert values(capsys.readouterr().out, "IPAddressDeny") == filters


def test_configuration_of_a_new_fleet_service_is_valid(tmp_path):
    config = tmp_path / "fleet.toml"
    config.write_text(FLEET_CONFIG)
    assert load_config(config).source.is_fleet

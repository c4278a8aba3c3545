"""Ansible role on a real systemd: several minutes, so that these tests are run by hand.

The tests follow each other on one machine in a box, in the order of this file.
"""

import json
import re
import tomllib
from pathlib import Path

import pytest

from .deploy_tools import deploy_tool
from .installing import ROOT, built, copied
from .systemd_box import UNIT, Box, Machine, need_systemd, run, seen

pytestmark = pytest.mark.deploy_long

ANSIBLE = ROOT / "deploy/ansible"
CALLBACK = Path(__file__).parent / "ansible_callback"
CONFIG = "/etc/monitor/config.toml"

SETTINGS = {
    "sampling": {"interval": "1s", "network_exclude": ["wg*", 'ä"\\']},
    "high_load": {"rules": [{"cpu_usage": 0.9}, {"cpu_usage": 0.5, "memory_usage": "p95"}], "horizons": ["5m"]},
    "web": {"host_metrics": False},
    "training": {"epochs": 7},
}


class Control:
    """The box as its own control node."""

    def __init__(self, machine, directory, playbook):
        self.machine, self._directory, self._playbook = machine, directory, playbook

    def play(self, source, *words, check=True, **variables):
        """Run the playbook; return its counts, changed tasks and failures."""
        chosen = {"ansible_python_interpreter": "/usr/bin/python3", "monitor_source": str(source)}
        chosen |= {"monitor_python": "/usr/bin/python3", "monitor_config": SETTINGS} | variables
        chosen["monitor_pip_arguments"] = f"--no-index --find-links {self._directory / 'wheels'}"
        chosen["monitor_constraints"] = str(self._directory / "constraints.txt")
        environment = {
            "ANSIBLE_CALLBACK_PLUGINS": CALLBACK,
            "ANSIBLE_STDOUT_CALLBACK": "results",
            "ANSIBLE_HOME": "/root/ansible",
            "LC_ALL": "C.UTF-8",
        }
        done = self.machine.box(
            *("env", *(f"{name}={value}" for name, value in environment.items())),
            *(self._playbook, "--connection", "local", "--inventory", "localhost,"),
            *("--extra-vars", json.dumps(chosen), *words, ANSIBLE / "site.yml"),
            check=False,
            cwd="/",
        )
        assert done.stdout.startswith("{"), done.stdout + done.stderr
        result = json.loads(done.stdout)
        assert not check or done.returncode == 0, result["failed"]
        return result

    def exists(self, path):
        return self.machine.box("test", "-e", path, check=False).returncode == 0


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Build a wheel, and download those of its dependencies."""
    need_systemd()
    directory = tmp_path_factory.mktemp("ansible")
    copied(directory / "checkout")
    (wheel,) = built(directory / "checkout", directory / "built", "--wheel")
    locked = re.findall(r"^(\w[^ ]*==.*[^ \\]) *\\$", (ROOT / "requirements-dev.lock").read_text(), re.MULTILINE)
    constraints = directory / "constraints.txt"
    constraints.write_text("\n".join(locked) + "\n")
    # The Python of the box, for which the wheels are.
    pip = ["/usr/bin/python3", "-m", "pip", "--quiet", "download", "--dest", directory / "wheels"]
    run(*pip, "--constraint", constraints, wheel, "setuptools")
    return directory


@pytest.fixture(scope="module")
def control(directory, tmp_path_factory):
    playbook = deploy_tool("ansible-playbook")
    with Box(tmp_path_factory.mktemp("box"), seen(directory)) as box:
        yield Control(Machine(box, ["/usr/local/bin/monitor"]), directory, playbook)


@pytest.fixture(scope="module")
def wheel(directory):
    (wheel,) = (directory / "built").iterdir()
    return wheel


def test_role_in_check_mode_changes_nothing(control, wheel):
    assert control.play(wheel, "--check")["changed"] > 0
    assert [path for path in ("/opt/monitor", CONFIG, f"/etc/systemd/system/{UNIT}") if control.exists(path)] == []


def test_role_installs_and_starts_the_service(control, wheel):
    control.play(wheel)
    machine = control.machine
    assert (machine.show("ActiveState"), machine.show("UnitFileState")) == ("active", "enabled")
    assert "/opt/monitor/venv/bin/monitor" in machine.show("ExecStart")
    assert tomllib.loads((machine.box.root / CONFIG[1:]).read_text()) == SETTINGS
    assert machine.status()["sampling"] is True


def test_second_run_changes_nothing(control, wheel):
    pid = control.machine.show("MainPID")
    assert control.play(wheel)["changed_tasks"] == []
    assert control.play(wheel, "--check")["changed_tasks"] == []
    assert control.machine.show("MainPID") == pid


def test_changed_configuration_reloads_the_service(control, wheel):
    machine, pid = control.machine, control.machine.show("MainPID")
    played = control.play(wheel, monitor_config={**SETTINGS, "training": {"epochs": 8}})
    assert played["changed_tasks"] == ["Write the configuration", "Reload monitor"]
    assert machine.show("MainPID") == pid
    machine.wait_for(lambda: "configuration reloaded" in machine.journal(), 10, "reload")


def test_invalid_configuration_stays_out(control, wheel):
    before = (control.machine.box.root / CONFIG[1:]).read_text()
    played = control.play(wheel, check=False, monitor_config={"web": {"port": 1}})
    assert (played["failures"], played["changed"]) == (1, 0)
    assert "web.port" in played["failed"][0]["result"]
    assert (control.machine.box.root / CONFIG[1:]).read_text() == before


def test_checkout_replaces_the_wheel_and_restarts_the_service(control, directory):
    machine, pid = control.machine, control.machine.show("MainPID")
    assert "Restart monitor" in control.play(directory / "checkout")["changed_tasks"]
    assert machine.show("ActiveState") == "active"
    assert machine.show("MainPID") != pid
    assert control.play(directory / "checkout")["changed"] == 0


def test_removal_keeps_history_until_a_purge(control, wheel):
    gone = [Path("/opt/monitor"), Path("/usr/local/bin/monitor"), Path("/etc/systemd/system") / UNIT]
    control.play(wheel, monitor_state="absent")
    assert [path for path in gone if control.exists(path)] == []
    assert control.exists("/var/lib/private/monitor/monitor.db")
    assert control.exists(CONFIG)
    assert control.play(wheel, monitor_state="absent")["changed"] == 0
    control.play(wheel, monitor_state="absent", monitor_purge=True)
    assert [path for path in (CONFIG, "/var/lib/private/monitor") if control.exists(path)] == []

"""Tests of process control."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import monitor
from monitor.errors import MonitorError
from monitor.system.processes import child_environment, deadline, exit_description, start_monitor, stop_child

pytestmark = pytest.mark.unit

ROOT = Path(monitor.__file__).parents[1]
ENVIRONMENT = """
import json
from monitor.system.processes import child_environment
print(json.dumps(dict(child_environment())))
"""


def python(*arguments, **options):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True, **options).stdout


def child(code):
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)


def test_deadline_raises_in_the_block_and_restores_the_timer():
    with pytest.raises(MonitorError, match="too slow"), deadline(0.05, "too slow"):
        time.sleep(5)
    with deadline(0.05, "too slow"):
        pass
    time.sleep(0.1)


def test_start_monitor_is_not_affected_by_packages_in_the_working_directory(tmp_path, monkeypatch):
    for name in ("model", "storage", "monitor", "numpy"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(
            f"open({str(tmp_path / 'executed')!r}, 'w')\nraise SystemExit(99)\n"
        )
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").touch()
    trainer = start_monitor(["check-config", str(tmp_path / "config.toml")])
    _, stderr = trainer.communicate()
    assert (trainer.returncode, stderr) == (0, b"")
    assert not (tmp_path / "executed").exists()


def test_child_environment_leaves_importable_package_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment = child_environment()
    assert environment == os.environ
    file = python("-P", "-c", "import monitor; print(monitor.__file__)", env=environment, cwd=tmp_path)
    assert Path(file.strip()) == ROOT / "monitor" / "__init__.py"


@pytest.mark.parametrize("inherited", [None, "/opt/plugins"])
def test_child_environment_names_the_checkout_that_the_parent_runs_from(inherited, tmp_path, monkeypatch):
    checkout = tmp_path / "checkout"
    for package in ("monitor", "model", "storage"):
        shutil.copytree(ROOT / package, checkout / package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if inherited:
        monkeypatch.setenv("PYTHONPATH", inherited)
    environment = json.loads(python("-c", ENVIRONMENT, cwd=checkout))
    assert environment["PYTHONPATH"] == os.pathsep.join(filter(None, (str(checkout), inherited)))
    file = python("-P", "-c", "import monitor; print(monitor.__file__)", env=environment, cwd=tmp_path)
    assert Path(file.strip()) == checkout / "monitor" / "__init__.py"


def test_stop_child_kills_child_that_ignores_sigterm():
    with child("import signal, sys; signal.signal(15, signal.SIG_IGN); sys.stderr.write('\\n'); sys.stderr.flush(); "
               "import time; time.sleep(60)") as stubborn:  # fmt: skip
        stubborn.stderr.readline()
        stop_child(stubborn, patience=0.1)
        assert stubborn.returncode == -9


@pytest.mark.parametrize(
    ("code", "description"),
    [
        ("import sys; print('first\\nlast', file=sys.stderr); sys.exit(4)", "ended with exit code 4: last"),
        ("import os; os.kill(os.getpid(), 15)", "was ended by SIGTERM"),
        (
            "import os; os.kill(os.getpid(), 9)",
            "was ended by SIGKILL (perhaps too little memory: see the kernel log)",
        ),
    ],
)
def test_exit_description_states_code_or_signal_and_last_line(code, description):
    with child(code) as process:
        process.wait()
        assert exit_description(process) == description

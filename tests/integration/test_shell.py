"""Behaviour in a shell: completion, colours on a terminal, and modules that a command imports."""

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.cli.main import main

pytestmark = pytest.mark.integration

COMPLETE = """
# Outside of a completion, bash does not fall back to file names: simulate it.
compopt() {{ COMPREPLY=($(compgen -f -- "$incomplete")); }}
incomplete=$1
source ./monitor.bash
COMP_WORDS=({words} "$1") COMP_CWORD={count} COMP_LINE="{words} $1" COMP_POINT=200
$(complete -p monitor | sed 's/.*-F \\([^ ]*\\).*/\\1/') monitor
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

COMPLETIONS = [
    ("monitor", "re", {"retrain", "report"}),
    ("monitor maintenance", "", {"list", "add", "end"}),
    ("monitor anomalies", "", {"list", "show", "ack", "note"}),
    ("monitor anomalies ack 3 --as", "", {"expected", "incident"}),
    ("monitor retrain", "--dr", {"--dry-run"}),
    ("monitor import", "tra", {"trace.csv"}),
    ("monitor check-config", "tra", {"trace.csv"}),
    ("monitor --config", "tra", {"trace.csv"}),
    ("monitor backtest trace.csv --plot", "tra", {"trace.csv"}),
    ("monitor completion", "z", {"zsh"}),
]


@pytest.fixture
def script(tmp_path, capsys):
    def write(shell):
        assert main(["completion", shell]) == 0
        (tmp_path / f"monitor.{shell}").write_text(capsys.readouterr().out)
        (tmp_path / "trace.csv").touch()
        return tmp_path

    return write


@pytest.fixture(autouse=True)
def command_on_path(monkeypatch):
    """The completion scripts run `monitor`."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)


def installed(shell):
    return pytest.mark.skipif(not shutil.which(shell), reason=f"{shell} is not installed")


@pytest.mark.parametrize(("words", "incomplete", "candidates"), COMPLETIONS)
def test_bash_completes_commands_options_choices_and_files(script, words, incomplete, candidates):
    text = COMPLETE.format(words=words, count=len(words.split()))
    process = subprocess.run(
        ["bash", "-c", text, "bash", incomplete], cwd=script("bash"), capture_output=True, text=True, check=True
    )
    assert set(process.stdout.split()) == candidates


@installed("fish")
@pytest.mark.parametrize(("words", "incomplete", "candidates"), COMPLETIONS)
def test_fish_completes_commands_options_choices_and_files(script, words, incomplete, candidates):
    text = f"source ./monitor.fish; complete -C '{words} {incomplete}'"
    process = subprocess.run(
        ["fish", "--no-config", "-c", text], cwd=script("fish"), capture_output=True, text=True, check=True
    )
    assert {line.partition("\t")[0] for line in process.stdout.splitlines()} == candidates


@installed("zsh")
def test_zsh_understands_its_script(script):
    subprocess.run(["zsh", "-n", "monitor.zsh"], cwd=script("zsh"), check=True)


PRINT_MODULES = (
    "import sys; from monitor.cli.main import main\n"
    "try: main(sys.argv[1:])\nfinally: print(*sys.modules, file=sys.stderr)"
)


def loaded_modules(*arguments):
    """Return the names of the modules that a command imports."""
    process = subprocess.run(
        [sys.executable, "-c", PRINT_MODULES, *arguments], capture_output=True, text=True, check=True
    )
    return set(process.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["retrain", "--help"], ["--version"], ["help"]])
def test_help_imports_no_large_package(arguments):
    assert not loaded_modules(*arguments) & {"numpy", "sqlalchemy", "rich", "psutil", "model", "storage"}


def test_help_does_not_read_package_metadata():
    assert "importlib.metadata" not in loaded_modules("--help")


def test_status_imports_only_what_it_reads_with(admin):
    admin.fill(rows=10)
    modules = loaded_modules("--config", str(admin.config), "status")
    assert "sqlalchemy" in modules
    large_packages = {"alembic", "apscheduler", "prometheus_client", "tornado", "rich"}
    own_modules = {
        "model.nn.network",
        "model.forecast.predictor",
        "model.forecast.pretrained",
        "model.anomaly.detector",
        "monitor.inference.served_model",
    }
    assert not modules & (large_packages | own_modules)


def test_status_is_coloured_on_a_terminal_and_plain_in_a_pipe(admin):
    admin.fill(rows=10)
    command = [sys.executable, "-m", "monitor", "--config", str(admin.config), "status"]
    without_colors = {
        name: value for name, value in os.environ.items() if not name.endswith(("COLOR", "COLOR_FORCE"))
    }
    environ = {**without_colors, "TERM": "xterm-256color", "COLUMNS": "80"}
    piped = subprocess.run(command, capture_output=True, env=environ, check=False).stdout
    master, slave = pty.openpty()
    with subprocess.Popen(command, stdout=slave, env=environ) as process:
        os.close(slave)
        output = b""
        try:
            while part := os.read(master, 65536):
                output += part
        except OSError:
            # EIO: the last writer has closed the terminal.
            pass
    os.close(master)
    assert process.returncode == 3
    assert b"\x1b[" not in piped
    assert b"\x1b[1;31mnot running\x1b[0m" in output

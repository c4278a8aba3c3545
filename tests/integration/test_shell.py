"""What a person meets at a prompt: completion in real shells, and commands that load only what they need."""

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
# Outside of a real completion there is no fallback to file names: do what it would do.
compopt() {{ COMPREPLY=($(compgen -f -- "$incomplete")); }}
incomplete=$1
source ./monitor.bash
COMP_WORDS=({words} "$1") COMP_CWORD={count} COMP_LINE="{words} $1" COMP_POINT=200
$(complete -p monitor | sed 's/.*-F \\([^ ]*\\).*/\\1/') monitor
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

TYPED = [
    ("monitor", "re", {"retrain", "report"}),
    ("monitor maintenance", "", {"list", "add", "end"}),
    ("monitor anomalies", "", {"list", "show", "ack"}),
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


@pytest.mark.parametrize(("words", "begun", "found"), TYPED)
def test_bash_completes_commands_options_choices_and_files(script, words, begun, found):
    text = COMPLETE.format(words=words, count=len(words.split()))
    done = subprocess.run(
        ["bash", "-c", text, "bash", begun], cwd=script("bash"), capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == found


@installed("fish")
@pytest.mark.parametrize(("words", "begun", "found"), TYPED)
def test_fish_completes_commands_options_choices_and_files(script, words, begun, found):
    text = f"source ./monitor.fish; complete -C '{words} {begun}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", text], cwd=script("fish"), capture_output=True, text=True, check=True
    )
    assert {line.partition("\t")[0] for line in done.stdout.splitlines()} == found


@installed("zsh")
def test_zsh_understands_its_script(script):
    subprocess.run(["zsh", "-n", "monitor.zsh"], cwd=script("zsh"), check=True)


LOADED = (
    "import sys; from monitor.cli.main import main\n"
    "try: main(sys.argv[1:])\nfinally: print(*sys.modules, file=sys.stderr)"
)


def loaded(*arguments):
    done = subprocess.run([sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["retrain", "--help"], ["--version"], ["help"]])
def test_help_loads_nothing_heavy(arguments):
    assert not loaded(*arguments) & {"numpy", "sqlalchemy", "rich", "psutil", "model", "storage"}


def test_help_does_not_look_the_version_up():
    assert "importlib.metadata" not in loaded("--help")


def test_status_loads_only_what_it_reads_with(admin):
    admin.fill(rows=10)
    found = loaded("--config", str(admin.config), "status")
    assert "sqlalchemy" in found
    heavy = {"alembic", "apscheduler", "prometheus_client", "tornado", "rich"}
    own = {
        "model.nn.network",
        "model.forecast.predictor",
        "model.forecast.pretrained",
        "model.anomaly.detector",
        "monitor.inference.served_model",
    }
    assert not found & (heavy | own)


def test_on_a_real_terminal_status_is_in_colour_and_through_a_pipe_it_is_not(admin):
    admin.fill(rows=10)
    command = [sys.executable, "-m", "monitor", "--config", str(admin.config), "status"]
    quiet = {name: value for name, value in os.environ.items() if not name.endswith(("COLOR", "COLOR_FORCE"))}
    environ = {**quiet, "TERM": "xterm-256color", "COLUMNS": "80"}
    piped = subprocess.run(command, capture_output=True, env=environ, check=True).stdout
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, env=environ) as process:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:
            # Linux says so when the last writer has gone
            pass
    os.close(ours)
    assert process.returncode == 0
    assert b"\x1b[" not in piped
    assert b"\x1b[1;31mnot running\x1b[0m" in shown

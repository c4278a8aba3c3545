"""Standard streams of the commands: pipes, full devices, closed streams, credentials, JSON logs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


def command_line(admin, *arguments):
    return [sys.executable, "-m", "monitor", "--config", str(admin.config), *arguments]


def run_monitor(admin, *arguments, **options):
    """Run a command in its own process and capture its standard streams."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.run(command_line(admin, *arguments), check=False, **(streams | options))


@pytest.mark.parametrize("command", [["--help"], ["--version"], ["status"], ["help"], ["export"]])
def test_full_device_exits_with_1_and_a_single_line(admin, command):
    admin.fill(rows=2)
    with Path("/dev/full").open("w") as full:
        process = run_monitor(admin, *command, stdout=full)
    assert (process.returncode, process.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize("command", [["--help"], ["--version"], ["status"], ["help"]])
def test_closed_stdout_exits_with_1_and_a_single_line(admin, command):
    admin.fill(rows=2)
    shell = ["sh", "-c", '"$@" >&-', "sh", *command_line(admin, *command)]
    process = subprocess.run(shell, stderr=subprocess.PIPE, text=True, check=False)
    assert (process.returncode, process.stderr.count("\n")) == (1, 1)


def test_closed_pipe_exits_with_0_silently(admin):
    admin.fill()
    with subprocess.Popen(command_line(admin, "export"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 0)


def test_exported_history_imports_and_replays_through_a_pipe(admin, tmp_path):
    admin.fill(rows=400)
    exported = run_monitor(admin, "export", "-").stdout
    admin.config.write_text(admin.config.read_text().replace("monitor.db", "copy.db"))
    imported = run_monitor(admin, "import", "-", "--json", input=exported)
    assert (imported.returncode, json.loads(imported.stdout)["added"]) == (0, 400)
    replayed = run_monitor(admin, "backtest", "-", "--predictions", "-", "--json", input=exported)
    assert replayed.returncode == 0
    assert replayed.stdout.startswith("timestamp,horizon,probability,warning,anomaly_score\n")
    assert json.loads(replayed.stderr.splitlines()[-1])["trace"]["rows"] == 400


def test_exported_model_imports_through_a_pipe(admin):
    admin.fill_and_train()
    exported = run_monitor(admin, "models", "export", "1", "-", "--json", text=False)
    assert (exported.returncode, json.loads(exported.stderr)["bytes"]) == (0, len(exported.stdout))
    admin.config.write_text(admin.config.read_text().replace("monitor.db", "copy.db"))
    imported = run_monitor(admin, "models", "import", "-", "--json", input=exported.stdout, text=False)
    assert (imported.returncode, json.loads(imported.stdout)["duplicate"]) == (0, False)


def test_stderr_has_only_json_with_the_json_log_format(admin):
    admin.fill()
    process = run_monitor(admin, "--log-format", "json", "retrain", "--dry-run")
    assert process.returncode == 0
    assert all(json.loads(line) for line in process.stderr.splitlines())


def test_every_problem_of_a_configuration_is_a_json_line(admin):
    admin.config.write_text("[high_load]\nrules = [{ cpu = 1, memory_usage = 7 }]\n[web]\nconfig_file = 'no.yml'\n")
    process = run_monitor(admin, "--log-format", "json", "check-config")
    problems = [json.loads(line)["error"] for line in process.stderr.splitlines()]
    assert (process.returncode, len(problems)) == (2, 3)
    assert [name for name in ("'cpu'", "memory_usage", "no.yml") if name not in " ".join(problems)] == []


@pytest.mark.parametrize("command", [["check-config"], ["check-config", "--json"], ["doctor"], ["doctor", "--json"]])
@pytest.mark.parametrize("url", ["postgres://u:secret@h/db", "sqlite://u:secret@h/x.db"])
def test_password_of_the_database_url_is_redacted(admin, command, url):
    admin.config.write_text(f'[storage]\nurl = "{url}"\n')
    process = run_monitor(admin, *command)
    assert "secret" not in process.stdout + process.stderr
    assert "***" in process.stdout + process.stderr


def test_backtest_of_a_history_whose_validation_rows_know_one_horizon_only(admin):
    # With these times, the last burst of a fold lies within the longest horizon of its end.
    admin.fill(rows=400, end=1.796e9 + 7 * 977)
    exported = run_monitor(admin, "export", "-").stdout
    replayed = run_monitor(admin, "backtest", "-", "--json", input=exported)
    assert (replayed.returncode, replayed.stderr) == (0, "")

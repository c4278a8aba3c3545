"""`monitor completion`, and the completions that its scripts ask for."""

import pytest

from monitor.cli.commands.shell.completion import SHELLS
from monitor.cli.exit_codes import ExitCode
from monitor.cli.main import main

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_prints_a_script_for_the_command(capsys, shell):
    assert main(["completion", shell]) == ExitCode.DONE
    output, errors = capsys.readouterr()
    assert f"_MONITOR_COMPLETE={shell}_complete" in output
    assert errors == ""


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        ("monitor re", {"report", "retrain"}),
        ("monitor anomalies ", {"list", "show", "ack", "note"}),
        ("monitor maintenance ", {"list", "add", "end"}),
        ("monitor models a", {"activate"}),
        ("monitor anomalies ack 3 --as ", {"expected", "incident"}),
        ("monitor retrain --d", {"--dry-run"}),
        ("monitor completion z", {"zsh"}),
    ],
)
def test_completion_request_answers_commands_options_and_choices(monkeypatch, capfd, words, completions):
    monkeypatch.setenv("_MONITOR_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    assert main([]) == ExitCode.DONE
    assert {line.partition(",")[2] for line in capfd.readouterr().out.splitlines()} == completions


@pytest.mark.parametrize("words", ["monitor import tr", "monitor --config tr", "monitor backtest x --plot tr"])
def test_completion_request_for_a_file_leaves_it_to_the_shell(monkeypatch, capfd, words):
    monkeypatch.setenv("_MONITOR_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    assert main([]) == ExitCode.DONE
    assert capfd.readouterr().out == "file,tr\n"

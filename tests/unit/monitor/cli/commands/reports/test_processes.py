"""`monitor processes`."""

import os

import pytest

from monitor.cli.exit_codes import ExitCode
from monitor.sampling.processes import top_processes
from monitor.sampling.processes.top_processes import TopProcesses
from monitor.system.json_codec import from_plain

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _own_process_only(monkeypatch):
    """Read this process alone, and wait only a moment between the readings."""
    monkeypatch.setattr(top_processes.psutil, "pids", lambda: [os.getpid()])
    monkeypatch.setattr(top_processes, "READING_INTERVAL", 0.01)


def test_processes_prints_a_table(run):
    result = run("processes")
    assert result.code == ExitCode.DONE
    heading, header, row = result.output.splitlines()[:3]
    assert "of 1 process" in heading
    assert header.split()[:2] == ["process", "pid"]
    assert str(os.getpid()) in row.split()


def test_json_is_a_document_that_the_daemon_can_read(run):
    document = run("processes", "--json").document
    top = from_plain(TopProcesses, document)
    assert [process.pid for process in top.processes] == [os.getpid()]
    assert top.processes[0].command_line is None


def test_command_lines_are_listed_if_configured(run):
    run.config.write_text(run.config.read_text() + "\n[events]\ncommand_lines = true\n")
    (process,) = run("processes", "--json").document["processes"]
    assert process["command_line"]

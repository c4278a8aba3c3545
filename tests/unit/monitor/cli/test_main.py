"""Exit codes and output streams of the entry point."""

import logging

import pytest

from monitor import release
from monitor.cli.commands.reports import status
from monitor.cli.exit_codes import ExitCode
from monitor.cli.main import main
from monitor.errors import ConfigError, MonitorError

pytestmark = pytest.mark.unit


@pytest.fixture
def failing(monkeypatch):
    """Return a function that makes `monitor status` raise an exception."""

    def install(error):
        def load(_):
            raise error

        monkeypatch.setattr(status, "load_configuration", load)

    return install


@pytest.mark.parametrize(
    ("arguments", "suggestion", "page"),
    [
        ("stauts", "'status'", "monitor"),
        ("status --jsn", "'--json'", "monitor status"),
        ("models shw", "'show'", "monitor models"),
        ("help statsu", "'status'", "monitor"),
        ("xyzzy", None, "monitor"),
        ("models show", None, "monitor models show"),
        ("models show x", None, "monitor models show"),
        ("import", None, "monitor import"),
        ("status now", None, "monitor status"),
        ("completion tcsh", None, "monitor completion"),
    ],
)
def test_usage_error_is_a_line_with_suggestion_and_hint(capsys, arguments, suggestion, page):
    assert main(arguments.split()) == ExitCode.USAGE
    output, errors = capsys.readouterr()
    line, hint = errors.splitlines()
    assert output == ""
    assert line.startswith("monitor: ")
    assert suggestion is None or suggestion in line
    assert hint == f"try: {page} --help"


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version_goes_to_stdout(capsys, flag):
    assert main([flag]) == ExitCode.DONE
    assert capsys.readouterr() == (f"monitor {release()}\n", "")


def test_errors_with_several_lines_write_single_line_per_problem(failing, capsys):
    failing(ConfigError(["a: x", "b: y"]))
    assert main(["status"]) == ExitCode.USAGE
    assert capsys.readouterr() == ("", "monitor: a: x\nmonitor: b: y\n")


def test_interrupt_exits_with_130_and_no_output(failing, capsys):
    failing(KeyboardInterrupt())
    assert main(["status"]) == ExitCode.INTERRUPTED
    assert capsys.readouterr() == ("", "")


def test_unexpected_error_exits_with_1_and_single_line_that_names_the_place(failing, monkeypatch, capsys):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    failing(KeyError("x"))
    assert main(["status"]) == ExitCode.FAILED
    (line,) = capsys.readouterr().err.splitlines()
    assert " CRITICAL monitor.cli.main: " in line
    assert "command crashed error=\"KeyError: 'x'\" location=" in line


def test_expected_error_exits_with_1_and_single_line(failing, capsys):
    failing(MonitorError("disk full"))
    assert main(["status"]) == ExitCode.FAILED
    assert capsys.readouterr().err == "monitor: disk full\n"


@pytest.mark.parametrize(
    "arguments",
    [["--config", "a", "--color", "never", "status"], ["status", "--config", "a", "--color", "never"]],
)
def test_shared_options_may_stand_before_or_after_the_command(monkeypatch, arguments):
    received = []

    def load(options):
        received.append(options)
        raise MonitorError("stop")

    monkeypatch.setattr(status, "load_configuration", load)
    assert main(arguments) == ExitCode.FAILED
    assert (received[0].config, received[0].color, received[0].json) == ("a", "never", False)


def test_option_after_the_command_replaces_an_earlier_value(monkeypatch):
    received = []

    def load(options):
        received.append(options.config)
        raise MonitorError("stop")

    monkeypatch.setattr(status, "load_configuration", load)
    main(["--config", "a", "status", "--config", "b"])
    assert received == ["b"]

"""`monitor help`."""

import pytest

from monitor.cli.exit_codes import ExitCode
from monitor.cli.main import main

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("names", [[], ["retrain"], ["models"], ["models", "export"]])
def test_help_prints_what_the_help_flag_prints(capsys, names):
    assert main(["help", *names]) == ExitCode.DONE
    page = capsys.readouterr().out
    assert main([*names, "--help"]) == ExitCode.DONE
    assert capsys.readouterr().out == page


@pytest.mark.parametrize("names", [["statsu"], ["models", "shw"], ["status", "x"]])
def test_help_of_an_unknown_command_is_a_usage_error(capsys, names):
    assert main(["help", *names]) == ExitCode.USAGE
    assert capsys.readouterr().out == ""

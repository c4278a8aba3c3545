"""Options of every command."""

import click
import pytest

from monitor.cli.options import GlobalOptions, json_option, shared_options

pytestmark = pytest.mark.unit


def parse(*arguments, hidden=False):
    """Return the options after parsing with a command that has the shared options and --json."""
    command = json_option(click.Command("x", params=shared_options(hidden=hidden), callback=lambda: None))
    with command.make_context("x", list(arguments)) as context:
        return context.ensure_object(GlobalOptions)


def test_options_have_defaults():
    assert parse() == GlobalOptions(config=None, log_level=None, log_format=None, color="auto", json=False)


def test_options_are_stored_in_a_single_object():
    arguments = ("--config", "a", "--log-level", "debug", "--log-format", "json", "--color", "never", "--json")
    assert parse(*arguments) == GlobalOptions("a", "debug", "json", "never", json=True)


@pytest.mark.parametrize("arguments", [["--log-level", "loud"], ["--log-format", "xml"], ["--color", "no"]])
def test_options_reject_other_choices(arguments):
    with pytest.raises(click.BadParameter):
        parse(*arguments)


def test_hidden_options_parse_but_are_not_in_the_help():
    assert all(option.hidden for option in shared_options(hidden=True))
    assert parse("--color", "never", hidden=True).color == "never"

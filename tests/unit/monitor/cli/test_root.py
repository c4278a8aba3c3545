"""The root command and everything below it: examples, help, and the pages made from them."""

import re
import runpy
import shlex
from pathlib import Path

import click
import pytest

from monitor.cli.help import DeprecatedArgument, iterate_commands, summary
from monitor.cli.main import main
from monitor.cli.root import COMMAND_MODULES, EXAMPLES, cli

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[4]


def commands():
    """Return every visible command with its context, the root first."""
    root = cli.context_class(cli, info_name="monitor", **cli.context_settings)
    return [(root, cli), *iterate_commands(cli, root)]


def command_lines(example):
    """Return the arguments of each `monitor` in an example, which may be a pipeline."""
    for part in example.split(" | "):
        words = shlex.split(part.partition(" > ")[0])
        if "monitor" in words:
            yield words[words.index("monitor") + 1 :]


def long_options(group_name):
    """Return the options of a command and its sub-commands that the help shows, without --help."""
    return {
        name
        for context, command in commands()
        if f"{context.command_path} ".startswith(f"{group_name} ")
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for name in parameter.opts
        if name.startswith("--")
    }


def test_sections_list_each_command_once_and_each_imports_under_its_name():
    names = [name for section in COMMAND_MODULES.values() for name in section]
    assert len(names) == len(set(names))
    assert [command.name for context, command in commands() if context.parent and not context.parent.parent] == names


@pytest.mark.parametrize(("context", "command"), commands(), ids=lambda value: getattr(value, "command_path", ""))
def test_every_command_has_a_summary_examples_and_explained_parameters(context, command):
    assert summary(command)
    assert command.examples
    unexplained = [
        parameter.name
        for parameter in command.params
        if not getattr(parameter, "help", None) and not isinstance(parameter, DeprecatedArgument)
    ]
    assert unexplained == []


def test_every_example_parses(parses):
    examples = [example for _, command in commands() for example in command.examples]
    assert len(examples) > 40
    assert [line for example in examples for line in command_lines(example) if not parses(line)] == []


@pytest.mark.parametrize(("context", "command"), commands(), ids=lambda value: getattr(value, "command_path", ""))
def test_examples_belong_to_their_command(context, command):
    if command is not cli:
        assert all(f"{context.command_path.removeprefix('monitor ')}" in example for example in command.examples)


def test_root_examples_are_of_existing_commands():
    assert all(
        set(shlex.split(example)) & {*COMMAND_MODULES["Report"], *COMMAND_MODULES["Training"]} for example in EXAMPLES
    )


@pytest.mark.parametrize("width", [60, 80, 120])
def test_help_fits_the_terminal(monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    for context, command in commands():
        help_text = command.get_help(command.context_class(command, parent=context.parent))
        # Examples stay on one line to be copied; a word is never broken.
        lines = [line for line in help_text.splitlines() if line.strip() not in command.examples]
        assert [line for line in lines if len(line) > width and len(line.split()) > 2] == []


def test_bare_command_prints_help_to_stdout_and_exits_0(capsys):
    assert main([]) == 0
    output, errors = capsys.readouterr()
    assert output.startswith("Usage: monitor [OPTIONS] COMMAND")
    assert errors == ""


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_flags_print_the_page_of_the_command(capsys, flag):
    assert main(["models", "export", flag]) == 0
    assert capsys.readouterr().out.startswith("Usage: monitor models export [OPTIONS] ID FILE")


def test_readme_table_has_every_command_with_its_options():
    table = (ROOT / "README.md").read_text().partition("## Commands")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w-]+)(.*?)` \|", table, re.MULTILINE)
    listed = {name: set() for name, _ in rows}
    for name, rest in rows:
        listed[name] |= set(re.findall(r"--[\w-]+", rest))
    names = [name for section in COMMAND_MODULES.values() for name in section]
    assert listed == {name: long_options(f"monitor {name}") for name in names}


def test_readme_usage_has_the_shared_options():
    usage = re.search(r"^`monitor (\[.*) COMMAND`", (ROOT / "README.md").read_text(), re.MULTILINE)[1]
    shared = {name for parameter in cli.params for name in parameter.opts if name.startswith("-")}
    assert set(re.findall(r"--[\w-]+|-V", usage)) == shared


def test_committed_manual_page_is_generated_from_the_commands():
    page = runpy.run_path(str(ROOT / "scripts" / "make_manpage.py"))["manpage"]()
    assert (ROOT / "deploy" / "man" / "monitor.1").read_text() == page, "run: make man"


def test_committed_command_reference_is_generated_from_the_commands():
    page = runpy.run_path(str(ROOT / "scripts" / "make_commands.py"))["command_reference"]()
    assert (ROOT / "docs" / "reference" / "commands.md").read_text() == page, "run: make man"

"""click classes of the commands: lazy import, suggestions, layout of the help."""

import sys

import click
import pytest

from monitor.cli.help import Command, Group, RootGroup, iterate_commands, summary

pytestmark = pytest.mark.unit

MODULE = '''
import click
from monitor.cli.help import Command
@click.command("{name}", cls=Command, examples={{"prog {name}": "Do it."}})
def command():
    """Do {name}.

    In detail.
    """
    return 7
'''


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Return a root group with two commands in a package of its own."""
    package = tmp_path / "lazy_commands"
    package.mkdir()
    for name in ("first", "second"):
        (package / f"{name}.py").write_text(MODULE.format(name=name))
    monkeypatch.syspath_prepend(tmp_path)
    yield RootGroup(
        "prog",
        sections={"Main": {"first": "first"}, "Other": {"second": "second"}},
        package="lazy_commands",
        examples={"prog first": "Do the first."},
        reference={"Files": {"a.txt": "A file."}},
    )
    for name in [name for name in sys.modules if name.startswith("lazy_commands")]:
        del sys.modules[name]


def invoke(group, *arguments):
    with group.make_context("prog", list(arguments)) as context:
        return group.invoke(context)


def test_root_group_imports_only_the_command_that_runs(root):
    assert invoke(root, "first") == 7
    assert "lazy_commands.first" in sys.modules
    assert "lazy_commands.second" not in sys.modules


def test_root_group_suggests_the_nearest_command(root):
    with pytest.raises(click.NoSuchCommand) as raised:
        invoke(root, "frist")
    assert raised.value.possibilities == ["first"]


def test_root_help_has_sections_examples_and_reference_in_order(root):
    text = root.get_help(root.context_class(root, info_name="prog"))
    headings = [line for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == ["Options:", "Main commands:", "Other commands:", "Examples:", "Files:"]
    assert "  first  Do first\n" in text
    assert "--config" in text


@pytest.mark.parametrize("kind", [Command, Group])
def test_help_has_its_examples_and_hides_the_shared_options(kind):
    command = kind("x", examples={"prog x": "Do it."}, help="Do x.")
    text = command.get_help(command.context_class(command, info_name="x"))
    assert text.endswith("Examples:\n  prog x\n      Do it.")
    assert "--config" not in text


def test_headings_are_bold_only_where_reports_are_coloured(monkeypatch):
    command = Command("x", examples={"prog x": "Do it."})
    context = command.context_class(command, info_name="x")
    assert "\x1b" not in command.get_help(context)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1mExamples" in command.get_help(context)


def test_group_runs_its_own_callback_without_a_subcommand():
    group = Group("g", examples={}, callback=lambda: 3)
    group.add_command(click.Command("sub", callback=lambda: 4))
    assert (invoke(group), invoke(group, "sub")) == (3, 4)


def test_summary_is_the_first_sentence_without_its_period():
    assert summary(click.Command("x", help="Do one\nthing.\n\nIn detail.")) == "Do one thing"


def test_iterate_commands_skips_hidden_commands_and_enters_groups():
    group = Group("g", examples={})
    inner = Group("inner", examples={})
    inner.add_command(Command("leaf", examples={}))
    group.add_command(inner)
    group.add_command(Command("secret", examples={}, hidden=True))
    parent = group.context_class(group, info_name="g")
    assert [context.command_path for context, _ in iterate_commands(group, parent)] == ["g inner", "g inner leaf"]

"""Help shows what works, what is misspelt is answered in a line, and the pages made of it agree with it."""

import argparse
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from monitor import release
from monitor.cli.help_text import EXAMPLES, GROUPS, PAGES
from monitor.cli.main import COMMANDS, main
from monitor.cli.parser import pages, parser

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]


def options(page):
    """Those of a page, and of the actions of a command that has some."""
    shown = [action for action in page._actions if action.help != argparse.SUPPRESS]
    below = [sub for action in shown if action.dest == "action" for sub in below_of(action)]
    own = {name for action in shown for name in action.option_strings if name.startswith("--")} - {"--help"}
    return own.union(*map(options, below))


def below_of(action):
    return action.choices.values() if isinstance(action, argparse._SubParsersAction) else ()


def test_every_command_has_a_page_a_group_and_examples():
    commands = set(pages(parser(COMMANDS)))
    assert commands == set(PAGES) == {name for names in GROUPS.values() for name in names}
    assert all(page.examples for page in PAGES.values())


@pytest.mark.parametrize(
    "typed", [typed for page in PAGES.values() for typed, _ in page.examples] + [typed for typed, _ in EXAMPLES]
)
def test_every_example_can_be_typed(typed):
    name, *arguments = shlex.split(typed)
    assert name == "monitor"
    assert parser(COMMANDS).parse_args(arguments).command in COMMANDS.values()


def test_the_examples_of_a_page_are_of_its_command():
    for name, page in PAGES.items():
        assert all(name in shlex.split(typed) for typed, _ in page.examples)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_help_fits_the_terminal(monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    made = parser(COMMANDS)
    for page in (made, *pages(made).values()):
        lines = page.format_help().splitlines()
        # a name that is never broken may be longer
        assert [line for line in lines if len(line) > width and len(line.split()) > 1] == []


def test_every_argument_is_explained():
    made = parser(COMMANDS)
    unexplained = [
        (page.prog, action.dest) for page in (made, *pages(made).values()) for action in page._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ]  # fmt: skip
    assert unexplained == []


@pytest.mark.parametrize(
    ("typed", "line", "page"),
    [
        ("stauts", "unknown command 'stauts'; did you mean 'status'?", "monitor"),
        ("xyzzy", "unknown command 'xyzzy'", "monitor"),
        ("status --jsn", "unknown argument '--jsn'; did you mean '--json'?", "monitor status"),
        ("models shw", "unknown action 'shw'; did you mean 'show'?", "monitor models"),
        ("models show", "the following arguments are required: ID", "monitor models show"),
        ("import", "the following arguments are required: TRACE", "monitor import"),
        ("help statsu", "argument COMMAND: 'statsu' is none of ", "monitor help"),
        ("", "the following arguments are required: COMMAND", "monitor"),
    ],
)
def test_what_cannot_be_understood_is_answered_in_one_line_and_a_hint(capsys, typed, line, page):
    with pytest.raises(SystemExit) as caught:
        main(typed.split())
    said, hint = capsys.readouterr().err.splitlines()
    assert caught.value.code == 2
    assert said.startswith(f"monitor: {line}")
    assert hint == f"try: {page} --help"


def test_the_options_of_every_command_may_stand_on_either_side_of_it():
    made = parser(COMMANDS)
    before = made.parse_args(["--config", "a", "--color", "never", "status"])
    after = made.parse_args(["status", "--config", "a", "--color", "never"])
    assert (before.config, before.color) == (after.config, after.color) == ("a", "never")
    assert made.parse_args(["status"]).color == "auto"


def test_the_version_goes_to_stdout_and_ends_with_0(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr() == (f"monitor {release()}\n", "")


def test_help_is_a_command_too(capsys):
    assert main(["help", "retrain"]) == 0
    assert capsys.readouterr().out == pages(parser(COMMANDS))["retrain"].format_help()


def test_the_table_of_the_readme_has_every_command_with_its_options_and_no_other():
    table = (ROOT / "README.md").read_text().partition("## The commands")[2].partition("\n## ")[0]
    told = dict(re.findall(r"^\| `([\w-]+)(.*?)` \|", table, re.MULTILINE))
    made = pages(parser(COMMANDS))
    assert {name: set(re.findall(r"--[\w-]+", rest)) for name, rest in told.items()} == {
        name: options(page) for name, page in made.items()
    }


def test_the_usage_of_the_readme_has_the_options_of_every_command():
    usage = re.search(r"^`monitor (\[.*) COMMAND`", (ROOT / "README.md").read_text(), re.MULTILINE)[1]
    assert set(re.findall(r"--[\w-]+", usage)) == options(parser(COMMANDS))


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="argparse lays usage out anew in each version")
def test_the_manual_page_is_the_one_that_the_commands_give(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    made = runpy.run_path(str(ROOT / "scripts" / "make_manpage.py"))["manpage"]()
    assert (ROOT / "deploy" / "man" / "monitor.1").read_text() == made, "run: make man"

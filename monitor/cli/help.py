"""How help is laid out, and what is answered to what cannot be understood: one line, and where to look."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, NoReturn

from monitor.cli.help_text import GROUPS
from monitor.errors import EXIT_USAGE
from monitor.reports.terminal import wanted

WIDEST = 100
"""Characters of a line of help at most: longer ones are hard to read."""

_HEADING = re.compile(r"^(\S.*:)$", re.MULTILINE)


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with what was typed, with the nearest right word."""

    def __init__(self, **how: Any) -> None:
        super().__init__(formatter_class=Formatter, **how)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, rest = self.parse_known_args(args, namespace)
        if rest:
            page: Parser = getattr(found, "page", self)
            options = [name for action in page._actions for name in action.option_strings]
            page.error(f"unknown argument {rest[0]!r}{_nearest(rest[0].partition('=')[0], options)}")
        return found

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            if isinstance(action, argparse._SubParsersAction):
                kind = "action" if action.dest == "action" else "command"
                raise argparse.ArgumentError(None, f"unknown {kind} {value!r}{_nearest(value, choices)}")
            told = f"{value!r} is none of {', '.join(choices)}{_nearest(value, choices)}"
            raise argparse.ArgumentError(action, told)

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"monitor: {message}\ntry: {self.prog} --help\n")

    def print_help(self, file: Any = None) -> None:
        text, to = self.format_help(), file or sys.stdout
        if wanted("auto", os.environ, tty=to.isatty()) == "colors":
            text = _HEADING.sub("\x1b[1m\\1\x1b[0m", text)
        to.write(text)


def examples(pairs: tuple[tuple[str, str], ...]) -> str:
    """As a section of a page."""
    return "examples:\n\n" + "\n".join(f"  {typed}\n      {does}" for typed, does in pairs)


def _nearest(name: str, known: Iterable[str]) -> str:
    found = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else ""


def _filled(line: str, width: int) -> str:
    """One line over several, each as far in as the first."""
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.fill(
        line, width, subsequent_indent=indent, drop_whitespace=True, break_long_words=False, break_on_hyphens=False
    )


class Formatter(argparse.HelpFormatter):
    """Fills paragraphs, and each line of an indented one by itself; lists commands by what they are for."""

    def __init__(self, prog: str) -> None:
        width = min(shutil.get_terminal_size().columns - 2, WIDEST)
        super().__init__(prog, max_help_position=26, width=width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:  # noqa: ARG002 - never indented here
        filled = []
        for part in text.split("\n\n"):
            lines = part.splitlines() if part.startswith(" ") else [part]
            filled.append("\n".join(_filled(line, width) for line in lines))
        return "\n\n".join(filled)

    def _format_action(self, action: argparse.Action) -> str:
        if not isinstance(action, argparse._SubParsersAction) or action.dest == "action":
            return super()._format_action(action)
        listed = {sub.dest: sub for sub in action._get_subactions()}
        self._indent()
        groups = [
            f"  {group}:\n" + "".join(self._format_action(listed[name]) for name in names if name in listed)
            for group, names in GROUPS.items()
        ]
        self._dedent()
        return "\n".join(groups)

#!/usr/bin/env python3
"""Command reference generator: docs/reference/commands.md from the help of the commands.

python scripts/make_commands.py [FILE]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from inspect import cleandoc
from pathlib import Path

import click

from monitor.cli.help import DeprecatedArgument, iterate_commands
from monitor.cli.root import REFERENCE, cli

DEFAULT_FILE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "commands.md"

HEAD = """\
# Commands

<!-- Made by `make man` from the help of the commands: change it there. -->

`monitor COMMAND --help` shows the same. The [README](../../README.md#commands) has an overview in one table.
"""


BAR = r"\|"
"""Vertical bar within a cell of a table."""


def command_reference() -> str:
    """Return the page as Markdown."""
    root = cli.context_class(cli, info_name="monitor", **cli.context_settings)
    lines = [HEAD, "## monitor", "", *command_lines(root, cli)]
    for context, command in iterate_commands(cli, root):
        lines += [f"## {context.command_path}", "", *command_lines(context, command)]
    for title, rows in REFERENCE.items():
        lines += [f"## {title}", "", *table(("value", "meaning"), rows.items())]
    return "\n".join(lines).rstrip() + "\n"


def command_lines(context: click.Context, command: click.Command) -> Iterator[str]:
    """Yield the usage, description, parameters and examples of a command."""
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield from ("```text", usage, "```", "")
    for paragraph in cleandoc(command.help or "").split("\n\n"):
        yield from (escaped(" ".join(paragraph.split())), "")
    shown = (parameter for parameter in command.params if not isinstance(parameter, DeprecatedArgument))
    records = [parameter.get_help_record(context) for parameter in shown]
    yield from table(("parameter", "meaning"), filter(None, records))
    yield from examples(getattr(command, "examples", {}))


def table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a table whose first column is code; nothing without rows."""
    cells = [(f"`{term}`", escaped(text)) for term, text in rows]
    if cells:
        rows_of_table = (f"| {' | '.join(cell.replace('|', BAR) for cell in row)} |" for row in cells)
        yield from (f"| {head[0]} | {head[1]} |", "|---|---|", *rows_of_table, "")


def examples(rows: Mapping[str, str]) -> Iterator[str]:
    """Yield the examples as one block, each below its explanation."""
    if rows:
        yield "```sh"
        for command, explanation in rows.items():
            yield from (f"# {explanation}", command)
        yield from ("```", "")


def escaped(text: str) -> str:
    """Escape what Markdown would take for markup, except for code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([<>*_\[\]])", r"\\\1", part) for part in parts)


def main() -> None:
    """Write the page."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FILE
    target.write_text(command_reference(), encoding="utf-8")


if __name__ == "__main__":
    main()

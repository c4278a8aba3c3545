#!/usr/bin/env python3
"""Manual page generator: deploy/man/monitor.1 from the help of the commands.

    python scripts/make_manpage.py [FILE]

`man -l FILE` shows the page.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from pathlib import Path

import click

from monitor.cli.help import DeprecatedArgument, iterate_commands, summary
from monitor.cli.root import REFERENCE, cli

DEFAULT_FILE = Path(__file__).resolve().parents[1] / "deploy" / "man" / "monitor.1"


def manpage() -> str:
    """Return the manual page in roff format."""
    root = cli.context_class(cli, info_name="monitor", **cli.context_settings)
    lines = [
        '.TH MONITOR 1 "" monitor "User Commands"',
        ".SH NAME",
        f"monitor \\- {escape(summary(cli))[:1].lower()}{escape(summary(cli))[1:]}",
        ".SH SYNOPSIS",
        *synopsis(root, cli),
        ".SH DESCRIPTION",
        *paragraphs(cli.help or ""),
        ".SH OPTIONS",
        *definitions(parameters(root, cli)),
        ".SH COMMANDS",
    ]
    for context, command in iterate_commands(cli, root):
        lines += command_section(context, command)
    lines += [".SH EXAMPLES", *examples(cli.examples)]
    for title, rows in REFERENCE.items():
        lines += [f".SH {title.upper()}", *definitions(rows.items())]
    return "\n".join(lines) + "\n"


def command_section(context: click.Context, command: click.Command) -> Iterator[str]:
    """Yield the lines of a command: usage, description, parameters, examples."""
    yield f".SS {escape(context.command_path)}"
    yield from synopsis(context, command)
    yield from paragraphs(command.help or "")
    yield from definitions(parameters(context, command))
    yield from examples(getattr(command, "examples", {}))


def synopsis(context: click.Context, command: click.Command) -> Iterator[str]:
    """Yield the usage of a command."""
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"\\fB{escape(context.command_path)}\\fR {escape(pieces)}"


def parameters(context: click.Context, command: click.Command) -> list[tuple[str, str]]:
    """Return usage and description of each documented argument and option; `--help` is left out."""
    shown = (parameter for parameter in command.params if not isinstance(parameter, DeprecatedArgument))
    records = [parameter.get_help_record(context) for parameter in shown]
    return [record for record in records if record is not None]


def paragraphs(text: str) -> Iterator[str]:
    """Yield the lines of a text, with a `.PP` macro before each paragraph."""
    for paragraph in cleandoc(text).split("\n\n"):
        yield ".PP"
        yield from escape(paragraph).splitlines()


def definitions(rows: Mapping[str, str] | list[tuple[str, str]]) -> Iterator[str]:
    """Yield terms, each with its description indented below."""
    for term, description in rows:
        yield ".TP"
        yield f"\\fB{escape(term)}\\fR"
        yield escape(description)


def examples(rows: Mapping[str, str]) -> Iterator[str]:
    """Yield command lines, each with its explanation indented below."""
    if rows:
        yield ".PP"
        yield "Examples:"
    yield from definitions(list(rows.items()))


def escape(text: str) -> str:
    """Escape a text so that roff prints it literally."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in escaped.splitlines())


def main() -> None:
    """Write the manual page."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(manpage(), encoding="utf-8")


if __name__ == "__main__":
    main()

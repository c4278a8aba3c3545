"""Command classes: click commands with examples, shared options and spelling suggestions."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from gettext import gettext
from importlib import import_module
from typing import Any

import click

from monitor.cli.options import shared_options
from monitor.reports.terminal import choose_style

MAX_WIDTH = 100
"""Largest number of characters in a line of help."""

CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": MAX_WIDTH}


class HelpFormatter(click.HelpFormatter):
    """A help formatter that prints headings in bold if reports on stdout would be coloured."""

    def write_heading(self, heading: str) -> None:
        bold = choose_style("auto", os.environ, tty=sys.stdout.isatty()) == "colors"
        super().write_heading(click.style(heading, bold=True) if bold else heading)


class Context(click.Context):
    """A click context that formats help with `HelpFormatter`."""

    formatter_class = HelpFormatter

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        # Otherwise click would remove the bold headings that FORCE_COLOR asks for in a pipe.
        self.color = True


class DeprecatedArgument(click.Argument):
    """An optional argument that is deprecated: accepted, but hidden in usage and help."""

    def get_usage_pieces(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - signature of click
        return []


class Command(click.Command):
    """A command that takes the shared options and shows examples in its help.

    Args:
        examples: mapping of command lines to their explanations.
    """

    context_class = Context
    hides_shared_options = True

    def __init__(self, *args: Any, examples: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.examples = examples
        self.params.extend(shared_options(hidden=self.hides_shared_options))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        write_examples(formatter, self.examples)


class Group(Command, click.Group):
    """A command with sub-commands; called without a sub-command it runs its own callback."""

    command_class = Command

    def __init__(self, *args: Any, **attributes: Any) -> None:
        attributes.setdefault("invoke_without_command", True)
        super().__init__(*args, **attributes)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - signature of click
        """Return the sub-commands in the order of their definition."""
        return list(self.commands)


class RootGroup(Group):
    """The root command `monitor`, which imports the module of a command at its first use.

    Args:
        sections: for each heading of the help, a mapping of command names to modules relative to `package`. Each
            module defines `command`.
        package: name of the package that contains the modules.
        reference: further sections of the help: for each heading, a mapping of terms to explanations.
    """

    hides_shared_options = False

    def __init__(
        self,
        *args: Any,
        sections: Mapping[str, Mapping[str, str]],
        package: str,
        reference: Mapping[str, Mapping[str, str]],
        **attributes: Any,
    ) -> None:
        attributes.setdefault("subcommand_metavar", "COMMAND [ARGUMENTS]...")
        super().__init__(*args, **attributes)
        self.sections = sections
        self.reference = reference
        self._modules = {name: f"{package}.{module}" for names in sections.values() for name, module in names.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - signature of click
        """Return the names of all commands in the order of the help."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command, or None for an unknown name."""
        if cmd_name not in self._modules:
            return None
        command: click.Command = import_module(self._modules[cmd_name]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return (name, command, remaining arguments) for arguments that begin with the name of a command.

        Raises:
            click.NoSuchCommand: no command has this name; the message suggests similar names.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=self._modules, ctx=ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in self.sections.items():
            commands = ((name, self.get_command(ctx, name)) for name in names)
            rows = [(name, summary(command)) for name, command in commands if command and not command.hidden]
            with formatter.section(f"{title} commands"):
                formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        for title, rows in self.reference.items():
            with formatter.section(title):
                formatter.write_dl(list(rows.items()), col_max=26)


def summary(command: click.Command) -> str:
    """Return the first paragraph of a command's help as one line, without the final full stop."""
    return (command.help or "").strip().partition("\n\n")[0].replace("\n", " ").rstrip(".")


def write_examples(formatter: click.HelpFormatter, examples: Mapping[str, str]) -> None:
    """Write the help section "Examples": each command line, with its explanation on the next line."""
    if not examples:
        return
    with formatter.section(gettext("Examples")):
        for line, explanation in examples.items():
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
            with formatter.indentation(), formatter.indentation():
                formatter.write_text(explanation)


def iterate_commands(group: click.Group, parent: click.Context) -> Iterable[tuple[click.Context, click.Command]]:
    """Yield (context, command) of every visible command below a group; sub-commands follow their group."""
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        if command is None or command.hidden:
            continue
        context = command.context_class(command, parent=parent, info_name=name, **command.context_settings)
        yield context, command
        if isinstance(command, click.Group):
            yield from iterate_commands(command, context)

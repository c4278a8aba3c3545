"""`monitor help`: the help of a command."""

from __future__ import annotations

import click

from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Command


@click.command(
    "help",
    cls=Command,
    examples={
        "monitor help": "List all commands.",
        "monitor help retrain": "Describe a command.",
        "monitor help models export": "Describe a sub-command.",
    },
)
@click.argument("names", metavar="[COMMAND]...", nargs=-1, help="Command, and sub-command.")
@click.pass_context
def command(context: click.Context, names: tuple[str, ...]) -> int:
    """Show the help of a command, or the list of commands."""
    shown = context.find_root()
    for name in names:
        group = shown.command
        if not isinstance(group, click.Group):
            raise click.UsageError(f"{shown.command_path!r} has no sub-commands", context)
        _, subcommand, _ = group.resolve_command(shown, [name])
        if subcommand is not None:
            shown = subcommand.context_class(subcommand, parent=shown, info_name=name, **subcommand.context_settings)
    click.echo(shown.get_help(), color=shown.color)
    return ExitCode.DONE

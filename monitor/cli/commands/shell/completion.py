"""`monitor completion`: completion scripts for shells."""

from __future__ import annotations

import sys

import click

from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Command

SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion",
    cls=Command,
    examples={
        "monitor completion bash > /etc/bash_completion.d/monitor": "Install it for bash (4.4 or newer).",
        "monitor completion zsh > /usr/local/share/zsh/site-functions/_monitor": "Install it for zsh.",
        "monitor completion fish > ~/.config/fish/completions/monitor.fish": "Install it for fish.",
    },
)
@click.argument("shell", type=click.Choice(SHELLS), help="Shell to write the script for.")
def command(shell: str) -> int:
    """Print a script that completes commands, options, choices and file names."""
    sys.stdout.write(completion_script(shell))
    return ExitCode.DONE


def completion_script(shell: str) -> str:
    """Return the completion script that click generates for a shell in `SHELLS`.

    Raises:
        click.UsageError: click does not support the shell.
    """
    from click.shell_completion import ShellComplete, get_completion_class  # noqa: PLC0415

    from monitor.cli.main import COMPLETION_VARIABLE, PROGRAM  # noqa: PLC0415
    from monitor.cli.root import cli  # noqa: PLC0415

    completer_class = get_completion_class(shell)
    if completer_class is None:
        raise click.UsageError(f"no completion for {shell}")
    # Call the method of the base class: the override for bash would start bash to check the version of bash.
    return ShellComplete.source(completer_class(cli, {}, PROGRAM, COMPLETION_VARIABLE))

"""`monitor install-service`: write the systemd unit and a default configuration."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, pass_options


@click.command(
    "install-service",
    cls=Command,
    examples={
        "monitor install-service --print": "Show the unit.",
        "sudo monitor install-service": "Install the unit.",
    },
)
@click.option("--print", "print_only", is_flag=True, help="Write the unit to stdout; change nothing.")
@pass_options
def command(options: GlobalOptions, print_only: bool) -> int:
    """Install the systemd unit and, if there is none, a configuration.

    The unit runs the program that executes this command. Prints the next steps. Needs root; may be repeated.
    """
    from monitor.system.systemd_unit import CONFIG, install, running_program, unit_text, unreadable  # noqa: PLC0415

    program = running_program()
    config = Path(options.config).absolute() if options.config else CONFIG
    if not print_only:
        sys.stdout.write("\n".join(install(program, config)) + "\n")
        return ExitCode.DONE
    for problem in unreadable((*program.needs, config)):
        sys.stderr.write(f"monitor: {problem}\n")
    sys.stdout.write(unit_text(program, config))
    return ExitCode.DONE

"""`monitor install-service`: write the systemd unit and a default configuration."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, pass_options
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from monitor.system.service.installation import Installation


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
    """Install the systemd unit, and a default configuration if there is none.

    The unit runs the program that executes this command. Prints the next steps. Needs root; run it again to update
    the unit.
    """
    from monitor.system.service.unit import CONFIG, running_program, unit_text, unreadable_paths  # noqa: PLC0415

    program = running_program()
    config = Path(options.config).absolute() if options.config else CONFIG
    if print_only:
        for problem in unreadable_paths((*program.needs, config)):
            sys.stderr.write(f"monitor: {problem}\n")
        local_only = True
        with suppress(ConfigError):
            local_only = not config.exists() or _stays_local(config)
        sys.stdout.write(unit_text(program, config, local_only=local_only))
        return ExitCode.DONE
    from monitor.config.reference import default_file  # noqa: PLC0415
    from monitor.system.service.installation import install  # noqa: PLC0415

    result = install(program, config, default_config=default_file(), stays_local=_stays_local)
    sys.stdout.write("\n".join(_report_lines(result)) + "\n")
    return ExitCode.DONE


def _stays_local(config: Path) -> bool:
    """Return True if the service needs connections with this host only: from clients, and to channels.

    Raises:
        ConfigError: the configuration is invalid.
    """
    from monitor.config.loader import load_config  # noqa: PLC0415

    return load_config(config).stays_local


def _report_lines(result: Installation) -> list[str]:
    """Return one line each for the unit, the configuration and the history, then the next commands."""
    from monitor.system.service.installation import STATE  # noqa: PLC0415
    from monitor.system.service.unit import NAME  # noqa: PLC0415

    config_state = "written, with every default" if result.config_written else "valid, unchanged"
    return [
        f"unit           {result.unit} {result.unit_change}, loaded by systemd",
        f"configuration  {result.config} {config_state}",
        f"history        {STATE}, created at the first start",
        f"next           {result.next_command}",
        f"then           systemctl status {NAME}; journalctl -u {NAME}; monitor status",
    ]

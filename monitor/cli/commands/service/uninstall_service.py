"""`monitor uninstall-service`: stop the service and remove its unit."""

from __future__ import annotations

import sys

import click

from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Command


@click.command(
    "uninstall-service",
    cls=Command,
    examples={"sudo monitor uninstall-service": "Stop the service and remove the unit."},
)
def command() -> int:
    """Stop the service and remove its systemd unit.

    Keeps data and configuration, and prints their paths. Needs root.
    """
    from monitor.system.systemd_unit import uninstall  # noqa: PLC0415

    sys.stdout.write("\n".join(uninstall()) + "\n")
    return ExitCode.DONE

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
@click.option("--fleet", is_flag=True, help="Remove monitor-fleet.service.")
def command(fleet: bool) -> int:
    """Stop the service and remove its systemd unit.

    Keeps data and configuration, and prints their paths. Needs root.
    """
    from monitor.system.service.installation import uninstall  # noqa: PLC0415
    from monitor.system.service.unit import FLEET_SERVICE, HOST_SERVICE  # noqa: PLC0415

    result = uninstall(FLEET_SERVICE if fleet else HOST_SERVICE)
    unit_state = "stopped and removed" if result.removed else "does not exist"
    sys.stdout.write(f"unit           {result.unit} {unit_state}\n")
    sys.stdout.write(f"kept           {', '.join(result.kept) or 'nothing'}\n")
    return ExitCode.DONE

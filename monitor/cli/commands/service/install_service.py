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
    from monitor.system.service.unit import Service

FLEET_CONFIG = """\
# Hosts of a server with the Prometheus API; docs/reference/configuration.md has every key.
[source]
kind = "prometheus"
url = "http://127.0.0.1:9090"

[web]
listen = "127.0.0.1:10191"
"""
"""Configuration of a new fleet service."""


@click.command(
    "install-service",
    cls=Command,
    examples={
        "monitor install-service --print": "Show the unit.",
        "sudo monitor install-service": "Install the unit.",
    },
)
@click.option("--print", "print_only", is_flag=True, help="Write the unit to stdout; change nothing.")
@click.option("--fleet", is_flag=True, help="Install monitor-fleet.service, for the hosts of a Prometheus server.")
@pass_options
def command(options: GlobalOptions, print_only: bool, fleet: bool) -> int:
    """Install the systemd unit, and a default configuration if there is none.

    The unit runs the program that executes this command. Prints the next steps. Needs root; run it again to update
    the unit.
    """
    from monitor.system.service.unit import (  # noqa: PLC0415
        FLEET_SERVICE,
        HOST_SERVICE,
        running_program,
        unit_text,
        unreadable_paths,
    )

    program = running_program()
    service = FLEET_SERVICE if fleet else HOST_SERVICE
    config = Path(options.config).absolute() if options.config else service.config
    if print_only:
        for problem in unreadable_paths((*program.needs, config)):
            sys.stderr.write(f"monitor: {problem}\n")
        local_only = True
        with suppress(ConfigError):
            local_only = not config.exists() or _stays_local(config)
        sys.stdout.write(unit_text(program, config, name=service.name, local_only=local_only))
        return ExitCode.DONE
    from monitor.config.reference import default_file  # noqa: PLC0415
    from monitor.system.service.installation import install  # noqa: PLC0415

    default_config = FLEET_CONFIG if fleet else default_file()
    result = install(program, config, default_config=default_config, stays_local=_stays_local, service=service)
    sys.stdout.write("\n".join(_report_lines(result, service)) + "\n")
    return ExitCode.DONE


def _stays_local(config: Path) -> bool:
    """Return True if the service needs connections with this host only: from clients, and to channels.

    Raises:
        ConfigError: the configuration is invalid.
    """
    from monitor.config.loader import load_config  # noqa: PLC0415

    return load_config(config).stays_local


def _report_lines(result: Installation, service: Service) -> list[str]:
    """Return one line each for the unit, the configuration and the history, then the next commands."""
    config_state = "written, with every default" if result.config_written else "valid, unchanged"
    return [
        f"unit           {result.unit} {result.unit_change}, loaded by systemd",
        f"configuration  {result.config} {config_state}",
        f"history        {service.state}, created at the first start",
        f"next           {result.next_command}",
        f"then           systemctl status {service.name}; journalctl -u {service.name}; monitor status",
    ]

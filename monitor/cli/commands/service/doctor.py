"""`monitor doctor`: check the host, the database and the daemon, and suggest fixes."""

from __future__ import annotations

import os
import time

import click

from monitor.cli.actions import print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, json_option, pass_options
from monitor.errors import ConfigError


@click.command(
    "doctor",
    cls=Command,
    examples={
        "monitor doctor": "Check this host.",
        "sudo monitor --config /etc/monitor/config.toml doctor": "Check everything that the service needs.",
    },
)
@json_option
@pass_options
def command(options: GlobalOptions) -> int:
    """Check what the daemon needs and suggest fixes.

    Checks kernel figures, permissions, clock, disk, database, port and model. Changes nothing; the daemon may be
    running. Exit code 1 if a check failed.
    """
    from monitor.config.loader import find_config, load_config  # noqa: PLC0415
    from monitor.doctor import examine, examine_invalid_configuration  # noqa: PLC0415
    from monitor.reports.doctor import doctor_report  # noqa: PLC0415

    now = time.time()
    try:
        document = examine(load_config(find_config(options.config, os.environ)), now)
    except ConfigError as error:
        document = examine_invalid_configuration(error.problems, now)
    print_result(options, document, doctor_report(document))
    return ExitCode.FAILED if document.failed else ExitCode.DONE

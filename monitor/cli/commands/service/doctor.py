"""`monitor doctor`: check the host, the database and the daemon, and suggest fixes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from monitor.cli.actions import load_configuration, print_result
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
        "monitor doctor --salvage monitor.db.damaged-20260301T120000Z": "Copy what can be read to the database.",
    },
)
@click.option(
    "--salvage",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Copy what the database lacks from a damaged one, instead of the checks.",
)
@json_option
@pass_options
def command(options: GlobalOptions, salvage: Path | None) -> int:
    """Check what the daemon needs and suggest fixes.

    Checks kernel figures, permissions, clock, disk, database, port and model. Changes nothing; the daemon may be
    running. Exit code 1 if a check failed.

    --salvage copies models, training runs, the history of activations and samples from a damaged database, such as
    one that the daemon moved aside. The file is not changed. What the database has already is kept. The newest copied
    model that served becomes active if no model fitted on this host serves. Exit code 1 if nothing can be read.
    """
    if salvage is not None:
        return _salvage(options, salvage)
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


def _salvage(options: GlobalOptions, file: Path) -> int:
    from monitor.documents.salvage import salvage_document  # noqa: PLC0415
    from monitor.reports.doctor import salvage_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.training.salvage import salvage  # noqa: PLC0415
    from storage.salvage import DatabaseImage  # noqa: PLC0415

    config = load_configuration(options)
    # An unreadable file must not create the database.
    DatabaseImage(file).close()
    with open_stores(config.database_url) as stores:
        document = salvage_document(file, salvage(stores, config, file, time.time()))
    print_result(options, document, salvage_report(document))
    return ExitCode.DONE

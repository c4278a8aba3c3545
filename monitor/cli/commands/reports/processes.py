"""`monitor processes`: processes that use most resources now."""

from __future__ import annotations

import time

import click

from monitor.cli.actions import load_configuration, print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, json_option, pass_options


@click.command(
    "processes",
    cls=Command,
    examples={"monitor processes": "List the processes that use most resources now."},
)
@json_option
@pass_options
def command(options: GlobalOptions) -> int:
    """List the processes that use most processor time, memory and I/O now.

    Measures for a second, as the daemon does when a warning or an anomaly begins. Command lines are listed if
    events.command_lines is true.
    """
    from monitor.documents.anomalies.processes import process_snapshot_document  # noqa: PLC0415
    from monitor.reports.anomalies import processes_report  # noqa: PLC0415
    from monitor.sampling.processes.top_processes import read_top_processes  # noqa: PLC0415

    config = load_configuration(options)
    top = read_top_processes(command_lines=config.events.command_lines)
    document = process_snapshot_document(top, time.time())
    print_result(options, document, processes_report(document))
    return ExitCode.DONE

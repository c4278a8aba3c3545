"""`monitor maintenance`: windows in which nothing counts as an anomaly."""

from __future__ import annotations

import time

import click

from monitor.cli.actions import print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.fleet_actions import load_host_configuration
from monitor.cli.help import Group
from monitor.cli.options import GlobalOptions, json_option, pass_options
from monitor.cli.parameters import DURATION, ROW_ID, TIME


@click.group(
    "maintenance",
    cls=Group,
    examples={
        "monitor maintenance": "List the windows that are active or planned.",
        "monitor maintenance add --for 2h --note 'new disks'": "Suppress anomalies for two hours from now.",
        "monitor maintenance end 3": "End a window early.",
    },
)
@json_option
@click.pass_context
def command(context: click.Context) -> int | None:
    """List, add or end maintenance windows, in which nothing counts as an anomaly.

    Without a sub-command: list. Windows that recur are configured: anomaly.maintenance.
    """
    if context.invoked_subcommand is None:
        return list_windows(context.ensure_object(GlobalOptions))
    return None


@command.command("list", examples={"monitor maintenance list": "List the windows that are active or planned."})
@json_option
@pass_options
def list_command(options: GlobalOptions) -> int:
    """List the windows that are active or planned."""
    return list_windows(options)


@command.command(
    "add",
    examples={
        "monitor maintenance add --for 2h": "Suppress anomalies for two hours from now.",
        "monitor maintenance add --from +1d --for 30m": "Suppress anomalies for half an hour tomorrow.",
        "monitor maintenance add --to 2026-03-01T06:00:00 --note upgrade": "Suppress anomalies until a time in UTC.",
    },
)
@click.option("--for", "duration", metavar="DURATION", type=DURATION, help='Length of the window, e.g. "2h".')
@click.option(
    "--from",
    "start",
    metavar="TIME",
    type=TIME,
    help="Start of the window: seconds since the epoch, a date and time, or +1h. Default: now.",
)
@click.option("--to", "end", metavar="TIME", type=TIME, help="End of the window, in place of --for.")
@click.option("--note", metavar="TEXT", help="Keep a note with the window. Default: none.")
@json_option
@pass_options
def add_command(
    options: GlobalOptions, duration: float | None, start: float | None, end: float | None, note: str | None
) -> int:
    """Add a maintenance window."""
    if (duration is None) == (end is None):
        raise click.UsageError("a maintenance window needs either --for or --to")
    return add_window(options, duration, start, note, end)


@command.command("end", examples={"monitor maintenance end 3": "End a window early, or cancel a planned one."})
@click.argument("window_id", metavar="ID", type=ROW_ID, help="ID of the window.")
@json_option
@pass_options
def end_command(options: GlobalOptions, window_id: int) -> int:
    """End a maintenance window now, or cancel it if it has not started."""
    return end_window(options, window_id)


def list_windows(options: GlobalOptions) -> int:
    """Print the windows that are active or planned; as text, also the configured recurring windows."""
    from monitor.config.maintenance_windows import format_windows  # noqa: PLC0415
    from monitor.documents.anomalies import maintenance_document  # noqa: PLC0415
    from monitor.reports.status.maintenance import maintenance_list_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    config = load_host_configuration(options)
    with open_stores(config.database_url, create=False) as stores:
        windows = tuple(map(maintenance_document, stores.anomalies.maintenance_windows(time.time())))
    recurring = config.anomaly.maintenance
    print_result(options, windows, maintenance_list_report(windows, format_windows(recurring) if recurring else ""))
    return ExitCode.DONE


def add_window(
    options: GlobalOptions,
    duration: float | None,
    start: float | None,
    note: str | None,
    end: float | None = None,
) -> int:
    """Add a window and print it.

    Args:
        options: options of this invocation.
        duration: length in seconds; None if the end is given.
        start: seconds since the epoch; None for now.
        note: free text; None for no note.
        end: seconds since the epoch; None if the duration is given.

    Raises:
        click.UsageError: the window or the note is invalid.
    """
    from dataclasses import replace  # noqa: PLC0415

    from monitor.documents.anomalies import maintenance_document  # noqa: PLC0415
    from monitor.operator_input import new_window  # noqa: PLC0415
    from monitor.reports.status.maintenance import maintenance_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    try:
        window = new_window(time.time(), start, end, duration, note or "")
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with open_stores(load_host_configuration(options).database_url, create=False) as stores:
        window = replace(window, id=stores.anomalies.add_maintenance_window(window))
    document = maintenance_document(window)
    print_result(options, document, maintenance_report(document))
    return ExitCode.DONE


def end_window(options: GlobalOptions, window_id: int) -> int:
    """End a window now, or cancel it if it has not started; print its ID."""
    from monitor.documents.anomalies import MaintenanceEndDocument  # noqa: PLC0415
    from monitor.reports.status.maintenance import maintenance_end_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    with open_stores(load_host_configuration(options).database_url, create=False) as stores:
        stores.anomalies.end_maintenance_window(window_id, time.time())
    document = MaintenanceEndDocument(window_id)
    print_result(options, document, maintenance_end_report(document))
    return ExitCode.DONE

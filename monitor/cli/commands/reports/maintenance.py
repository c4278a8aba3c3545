"""`monitor maintenance`: windows in which nothing counts as an anomaly."""

from __future__ import annotations

import time

import click

from monitor.cli.actions import load_configuration, print_result
from monitor.cli.exit_codes import ExitCode
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
    },
)
@click.option(
    "--for", "duration", metavar="DURATION", required=True, type=DURATION, help='Length of the window, e.g. "2h".'
)
@click.option(
    "--from",
    "start",
    metavar="TIME",
    type=TIME,
    help="Start of the window: seconds since the epoch, a date and time, or +1h. Default: now.",
)
@click.option("--note", metavar="TEXT", help="Keep a note with the window. Default: none.")
@json_option
@pass_options
def add_command(options: GlobalOptions, duration: float, start: float | None, note: str | None) -> int:
    """Add a maintenance window."""
    return add_window(options, duration, start, note)


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
    from monitor.reports.anomalies import maintenance_list_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    config = load_configuration(options)
    with open_stores(config.database_url, create=False) as stores:
        windows = tuple(map(maintenance_document, stores.anomalies.maintenance_windows(time.time())))
    recurring = config.anomaly.maintenance
    print_result(options, windows, maintenance_list_report(windows, format_windows(recurring) if recurring else ""))
    return ExitCode.DONE


def add_window(options: GlobalOptions, duration: float, start: float | None, note: str | None) -> int:
    """Add a window and print it.

    Args:
        options: options of this invocation.
        duration: length in seconds.
        start: seconds since the epoch; None for now.
        note: free text; None for no note.

    Raises:
        click.UsageError: the window ends in the past or after the year 9999.
    """
    from dataclasses import replace  # noqa: PLC0415

    from monitor.documents.anomalies import maintenance_document  # noqa: PLC0415
    from monitor.reports.anomalies import maintenance_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.system.formatting import LATEST  # noqa: PLC0415
    from storage import MaintenanceWindow  # noqa: PLC0415

    now = time.time()
    starts_at = now if start is None else start
    ends_at = starts_at + duration
    if ends_at <= now:
        raise click.UsageError("the maintenance window ends in the past")
    if ends_at > LATEST:
        raise click.UsageError("the maintenance window ends after the year 9999")
    window = MaintenanceWindow(starts_at, ends_at, note or "")
    with open_stores(load_configuration(options).database_url, create=False) as stores:
        window = replace(window, id=stores.anomalies.add_maintenance_window(window))
    document = maintenance_document(window)
    print_result(options, document, maintenance_report(document))
    return ExitCode.DONE


def end_window(options: GlobalOptions, window_id: int) -> int:
    """End a window now, or cancel it if it has not started; print its ID."""
    from monitor.documents.anomalies import MaintenanceEndDocument  # noqa: PLC0415
    from monitor.reports.anomalies import maintenance_end_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    with open_stores(load_configuration(options).database_url, create=False) as stores:
        stores.anomalies.end_maintenance_window(window_id, time.time())
    document = MaintenanceEndDocument(window_id)
    print_result(options, document, maintenance_end_report(document))
    return ExitCode.DONE

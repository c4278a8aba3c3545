"""`monitor maintenance`: windows in which nothing counts as an anomaly."""

from __future__ import annotations

import time
from argparse import Namespace
from typing import Any

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
@click.argument("window_id", metavar="ID", type=ROW_ID, help="Number of the window.")
@json_option
@pass_options
def end_command(options: GlobalOptions, window_id: int) -> int:
    """End a maintenance window now, or cancel it if it has not begun."""
    return end_window(options, window_id)


def list_windows(options: GlobalOptions) -> int:
    """Print the windows that are active or planned."""
    return _answer(options)


def add_window(options: GlobalOptions, duration: float, start: float | None, note: str | None) -> int:
    """Add a window and print it.

    Args:
        options: of this invocation.
        duration: length in seconds.
        start: seconds since the epoch, None for now.
        note: free text, or None.
    """
    return _answer(options, duration=duration, at=start, note=note)


def end_window(options: GlobalOptions, window_id: int) -> int:
    """End or cancel a window and print its id."""
    return _answer(options, end=window_id)


def _answer(options: GlobalOptions, **typed: Any) -> int:
    from monitor.reports import anomalies  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    config = load_configuration(options)
    empty = dict.fromkeys(("id", "duration", "at", "end", "note", "since", "judgement"))
    arguments = Namespace(**(empty | {"action": "maintenance"} | typed))
    with open_stores(config.database_url, create=False) as stores:
        document, report = anomalies.answer(stores, config.anomaly, arguments, time.time())
    print_result(options, document, report)
    return ExitCode.DONE

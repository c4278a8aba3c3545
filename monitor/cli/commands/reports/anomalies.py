"""`monitor anomalies`: list and show anomaly events, and record verdicts on them."""

from __future__ import annotations

import time

import click

from monitor.cli.actions import print_result
from monitor.cli.commands.reports import maintenance
from monitor.cli.exit_codes import ExitCode
from monitor.cli.fleet_actions import load_host_configuration
from monitor.cli.help import Group
from monitor.cli.options import GlobalOptions, json_option, pass_options
from monitor.cli.parameters import DURATION, ROW_ID, SINCE, TIME

since_option = click.option(
    "--since",
    metavar="DURATION",
    type=SINCE,
    help='List this much history, e.g. "90d", or from this time on. Default: 30d.',
)


@click.group(
    "anomalies",
    cls=Group,
    examples={
        "monitor anomalies": "List the anomaly events of the last 30 days.",
        "monitor anomalies ack 4 --as incident --note 'a leak in the cache'": "Record a verdict on one of them.",
    },
)
@since_option
@json_option
@click.pass_context
def command(context: click.Context, since: float | None) -> int | None:
    """List anomaly events, show one, or record a verdict on one.

    Without a sub-command: list.
    """
    if context.invoked_subcommand is None:
        return _list(context.ensure_object(GlobalOptions), since)
    if since is not None:
        raise click.UsageError(f"--since belongs after {context.invoked_subcommand!r}", context)
    return None


@command.command("list", examples={"monitor anomalies list --since 90d": "List the events of the last 90 days."})
@since_option
@json_option
@pass_options
def list_events(options: GlobalOptions, since: float | None) -> int:
    """List anomaly events, newest first."""
    return _list(options, since)


@command.command("show", examples={"monitor anomalies show 4": "Show one event with actual and expected values."})
@click.argument("event_id", metavar="ID", type=ROW_ID, help="ID of the event.")
@json_option
@pass_options
def show_event(options: GlobalOptions, event_id: int) -> int:
    """Show one anomaly event with its context.

    For each metric: its contribution to the score, its actual value and the one that the detector expected, in the
    row that deviates most. Then earlier events with about the same contributions.
    """
    from monitor.documents.anomalies import anomaly_details_document  # noqa: PLC0415
    from monitor.queries.anomaly_details import read_anomaly_details  # noqa: PLC0415
    from monitor.reports.anomalies import anomaly_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    now = time.time()
    with open_stores(load_host_configuration(options).database_url, create=False) as stores:
        event = anomaly_details_document(read_anomaly_details(stores, event_id, now))
    print_result(options, event, anomaly_report(event, now))
    return ExitCode.DONE


@command.command(
    "ack",
    examples={
        "monitor anomalies ack 4 --as expected": "Learn the event as normal behaviour.",
        "monitor anomalies ack 5 --as incident --note 'disk full'": "Exclude the event from training.",
    },
)
@click.argument("event_id", metavar="ID", type=ROW_ID, help="ID of the event.")
@click.option(
    "--as",
    "verdict",
    required=True,
    type=click.Choice(("expected", "incident")),
    help="Verdict: expected is learned as normal behaviour, incident is excluded from training.",
)
@click.option("--note", metavar="TEXT", help="Keep a note with the verdict. Default: the stored note, if any.")
@json_option
@pass_options
def acknowledge(options: GlobalOptions, event_id: int, verdict: str, note: str | None) -> int:
    """Record a verdict on an anomaly event."""
    from monitor.documents.anomalies import anomaly_document  # noqa: PLC0415
    from monitor.reports.anomalies import verdict_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from storage import Verdict  # noqa: PLC0415

    checked = None if note is None else _checked(note)
    with open_stores(load_host_configuration(options).database_url, create=False) as stores:
        stores.anomalies.set_verdict(event_id, Verdict(verdict), checked, time.time())
        event = anomaly_document(stores.anomalies.get(event_id))
    print_result(options, event, verdict_report(event))
    return ExitCode.DONE


@command.command(
    "note",
    examples={
        "monitor anomalies note 4 'caused by the backup'": "Keep a note on an event, without a verdict.",
        "monitor anomalies note 4 ''": "Delete the note of an event.",
    },
)
@click.argument("event_id", metavar="ID", type=ROW_ID, help="ID of the event.")
@click.argument("text", metavar="TEXT", help="Note of at most 500 characters; an empty one deletes the stored note.")
@json_option
@pass_options
def note_event(options: GlobalOptions, event_id: int, text: str) -> int:
    """Record a note on an anomaly event, replacing an earlier note."""
    from monitor.documents.anomalies import anomaly_document  # noqa: PLC0415
    from monitor.reports.anomalies import note_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    note = _checked(text)
    with open_stores(load_host_configuration(options).database_url, create=False) as stores:
        stores.anomalies.set_verdict(event_id, None, note, time.time())
        event = anomaly_document(stores.anomalies.get(event_id))
    print_result(options, event, note_report(event))
    return ExitCode.DONE


@command.command("maintenance", hidden=True, examples={})
@click.option("--for", "duration", metavar="DURATION", type=DURATION, help="Add a window of this length.")
@click.option("--from", "start", metavar="TIME", type=TIME, help="Start of the window. Default: now.")
@click.option("--note", metavar="TEXT", help="Keep a note with the window. Default: none.")
@click.option("--end", metavar="ID", type=ROW_ID, help="End this window now.")
@json_option
@pass_options
def former_maintenance(
    options: GlobalOptions, duration: float | None, start: float | None, note: str | None, end: int | None
) -> int:
    """List, add or end maintenance windows."""
    if end is not None:
        if (duration, start, note) != (None, None, None):
            raise click.UsageError("--end cannot be combined with other options")
        return maintenance.end_window(options, end)
    if duration is not None:
        return maintenance.add_window(options, duration, start, note)
    if (start, note) != (None, None):
        raise click.UsageError("--from and --note need --for")
    return maintenance.list_windows(options)


def _checked(note: str) -> str:
    """Return a note in its stored form; raise click.UsageError for an invalid one."""
    from monitor.operator_input import checked_note  # noqa: PLC0415

    try:
        return checked_note(note)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _list(options: GlobalOptions, since: float | None) -> int:
    """Print the events of the last `since` seconds, by default of the last 30 days."""
    from monitor.documents.anomalies import RECENT, anomaly_document  # noqa: PLC0415
    from monitor.reports.anomalies import anomalies_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415

    period = since or RECENT
    with open_stores(load_host_configuration(options).database_url, create=False) as stores:
        events = tuple(map(anomaly_document, stores.anomalies.since(time.time() - period)))
    print_result(options, events, anomalies_report(events, period))
    return ExitCode.DONE

"""`monitor purge`: remove a period of the stored history."""

from __future__ import annotations

import sys

import click

from monitor.cli.actions import print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.fleet_actions import load_host_configuration
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, json_option, pass_options
from monitor.cli.parameters import TIME


@click.command(
    "purge",
    cls=Command,
    examples={
        "monitor purge --from 2026-03-01 --to 2026-03-02T12:00": "Show what would be deleted, and ask.",
        "monitor purge --from 1772366400 --to 1772370000 --yes": "Delete an hour without confirmation.",
        "monitor purge --from now --to 2099-01-01 --yes": "Delete samples with a time in the future.",
    },
)
@click.option(
    "--from",
    "start",
    metavar="TIME",
    required=True,
    type=TIME,
    help="First time to delete: seconds since the epoch, a date and time, or -7d.",
)
@click.option("--to", "end", metavar="TIME", required=True, type=TIME, help="Last time to delete.")
@click.option("--yes", is_flag=True, help="Delete without confirmation.")
@json_option
@pass_options
def command(options: GlobalOptions, start: float, end: float, yes: bool) -> int:
    """Remove a period of the stored history.

    Deletes the samples from the first to the last time, both included, and what was derived from them: predictions,
    scores of whole hours, anomaly events without a verdict, and the processes and the use of file systems recorded in
    the period. Keeps the models; to train again, run `monitor retrain`. The daemon may keep running.
    """
    from monitor.documents.traces import PurgeDocument  # noqa: PLC0415
    from monitor.reports.files import purge_report  # noqa: PLC0415
    from monitor.stores import delete_replayed, open_stores  # noqa: PLC0415

    if start > end:
        raise click.UsageError("--from must not be later than --to")
    with open_stores(load_host_configuration(options).database_url, create=False) as stores:
        samples = stores.samples.count_between(start, end)
        predictions = stores.predictions.count_between(start, end)
        predictions += stores.replayed_predictions.count_between(start, end)
        is_confirmed = yes or not (samples or predictions) or _confirmed(samples, predictions, start, end)
        if not is_confirmed:
            sys.stderr.write("nothing was deleted\n")
            return ExitCode.FAILED
        document = PurgeDocument(
            from_=start,
            to=end,
            samples=stores.samples.purge_between(start, end),
            anomalies=stores.anomalies.purge_between(start, end),
            process_snapshots=stores.process_snapshots.purge_between(start, end),
            predictions=stores.predictions.purge_between(start, end) + delete_replayed(stores, start, end),
        )
        stores.scores.purge_between(start, end)
        stores.capacity.purge_between(start, end)
    print_result(options, document, purge_report(document))
    return ExitCode.DONE


def _confirmed(samples: int, predictions: int, start: float, end: float) -> bool:
    """Ask for confirmation on stderr; return True only if the answer on stdin is y or yes."""
    from monitor.system.formatting import format_time  # noqa: PLC0415

    period = f"from {format_time(start)} to {format_time(end)}"
    sys.stderr.write(f"delete the history {period} ({samples} samples, {predictions} predictions)? [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline() if sys.stdin else ""
    return answer.strip().lower() in {"y", "yes"}

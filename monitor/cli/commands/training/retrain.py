"""`monitor retrain`: train a candidate, apply the gate, register and promote it."""

from __future__ import annotations

import click

from monitor.cli.actions import load_configuration
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, json_option, pass_options
from monitor.cli.parameters import SINCE


@click.command(
    "retrain",
    cls=Command,
    examples={
        "monitor retrain": "Train as the daemon does on its schedule.",
        "monitor retrain --since 30d --dry-run": "Train and evaluate on the last 30 days; change nothing.",
        "monitor retrain --json": "Print the whole training report as one document.",
    },
)
@click.option(
    "--since",
    metavar="DURATION",
    type=SINCE,
    help='Train on this much history, e.g. "7d", or from this time on. Default: training.history.',
)
@click.option("--dry-run", is_flag=True, help="Do not register or promote the candidate.")
@click.option("--force", is_flag=True, help="Promote the candidate even if the gate refuses it.")
@json_option
@pass_options
def command(options: GlobalOptions, since: float | None, dry_run: bool, force: bool) -> int:
    """Train on the stored samples and promote the model if the gate accepts it.

    Progress goes to stderr, the report to stdout. A running daemon serves a promoted model from its next sampling
    cycle on. A refused candidate stays in the registry (exit code 3).
    """
    from monitor.cli.training_action import train_and_report  # noqa: PLC0415

    config = load_configuration(options)
    return train_and_report(options, config, since=since, dry_run=dry_run, force=force)

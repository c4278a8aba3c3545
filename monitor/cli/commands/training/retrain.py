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
        "monitor retrain --all": "Train the models of a fleet.",
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
@click.option("--all", "all_hosts", is_flag=True, help="Train the pooled model and all hosts of the fleet.")
@click.option("--host", "hosts", metavar="HOST", multiple=True, help="Train this host of the fleet; repeatable.")
@json_option
@pass_options
def command(
    options: GlobalOptions,
    since: float | None,
    dry_run: bool,
    force: bool,
    all_hosts: bool,
    hosts: tuple[str, ...],
) -> int:
    """Train on the stored samples and promote the model if the gate accepts it.

    Progress goes to stderr, the report to stdout. A running daemon serves a promoted model from its next sampling
    cycle on. A refused candidate stays in the registry (exit code 3).

    With source.kind = "prometheus", state --all or --host. The fleet process serves promoted models from its next
    step on. The exit code is 3 if no model is promoted.
    """
    from monitor.cli.training_action import train_and_report  # noqa: PLC0415

    config = load_configuration(options)
    if config.source.is_fleet or all_hosts or hosts:
        from monitor.cli.fleet_training_action import retrain_and_report  # noqa: PLC0415

        if not config.source.is_fleet:
            raise click.UsageError('--all and --host need source.kind = "prometheus".')
        if all_hosts == bool(hosts) or dry_run or force:
            raise click.UsageError("A fleet needs either --all or --host, without --dry-run and --force.")
        return retrain_and_report(options, config, hosts, history=since)
    return train_and_report(options, config, since=since, dry_run=dry_run, force=force)

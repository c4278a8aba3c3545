"""`monitor retrain`: train a candidate, apply the gate, register and promote it."""

from __future__ import annotations

import click

from monitor.cli.actions import load_configuration, print_result
from monitor.cli.exit_codes import ExitCode
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
    from monitor.documents.training import retrain_document  # noqa: PLC0415
    from monitor.reports.progress import training_progress  # noqa: PLC0415
    from monitor.reports.training import retrain_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.system.processes import lower_priority  # noqa: PLC0415
    from monitor.training import retrain  # noqa: PLC0415

    config = load_configuration(options)
    lower_priority()
    request = retrain.Request(since, dry_run, force)
    with open_stores(config.database_url, create=False) as stores, training_progress() as on_epoch:
        result = retrain.retrain(stores, config, request, on_epoch)
    document = retrain_document(result, dry_run=dry_run)
    if result.report is not None or options.json:
        print_result(options, document, retrain_report(document))
    if result.error is not None:
        raise result.error
    return ExitCode.DONE

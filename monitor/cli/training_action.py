"""Training action: one training run with its progress and report, for `retrain` and `import --train`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.cli.actions import print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.options import GlobalOptions

if TYPE_CHECKING:
    from monitor.config.loader import Config


def train_and_report(
    options: GlobalOptions, config: Config, *, since: float | None = None, dry_run: bool = False, force: bool = False
) -> int:
    """Train on the stored samples, promote the model if the gate accepts it, and print the report.

    Args:
        options: options of this invocation.
        config: configuration.
        since: length of the history in seconds; None for `training.history`.
        dry_run: True to register and promote nothing.
        force: True to promote the candidate even if the gate refuses it.

    Raises:
        MonitorError: the training run failed, or the gate refused the candidate.
    """
    from monitor.documents.training import retrain_document  # noqa: PLC0415
    from monitor.reports.progress import training_progress  # noqa: PLC0415
    from monitor.reports.training import retrain_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.system.processes import lower_priority  # noqa: PLC0415
    from monitor.training import retrain  # noqa: PLC0415

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

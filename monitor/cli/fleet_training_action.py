"""Fleet training action: `monitor retrain --all` and `--host`, and their report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from monitor.cli.actions import print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.options import GlobalOptions
from monitor.reports.blocks import Report

if TYPE_CHECKING:
    from monitor.config.loader import Config
    from monitor.documents.training import FleetRetrainingDocument


def retrain_and_report(
    options: GlobalOptions, config: Config, hosts: Sequence[str], *, history: float | None = None
) -> int:
    """Train hosts of a fleet and print the report.

    Args:
        options: options of this invocation.
        config: configuration with source.kind = "prometheus".
        hosts: values of the host label; empty for the pooled model and all hosts.
        history: seconds of history; None for `training.history`.

    Raises:
        MonitorError: the source or the executor cannot be reached.
        RefusedError: no model was promoted.
    """
    from monitor.errors import RefusedError  # noqa: PLC0415
    from monitor.fleet.model_directory import model_directory  # noqa: PLC0415
    from monitor.fleet.source.factory import create_source  # noqa: PLC0415
    from monitor.fleet.training.retrain import retrain_fleet  # noqa: PLC0415
    from monitor.system.processes import lower_priority  # noqa: PLC0415

    lower_priority()
    source = create_source(config)
    directory = model_directory(config, source.step)
    result = retrain_fleet(config, source, directory, time.time(), hosts, history=history)
    document = result.document
    print_result(options, document, fleet_training_report(document))
    if not (document.trained or document.pooled_promoted):
        raise RefusedError("no model was promoted: see the reasons in the report")
    return ExitCode.DONE


def fleet_training_report(document: FleetRetrainingDocument) -> Report:
    """Return the report: promoted models, reasons, and the comparison of the pooled model."""
    lines = [f"own models promoted: {document.trained}"]
    lines += [f"without an own model, {reason}: {count}" for reason, count in sorted(document.refused.items())]
    pooled = document.pooled
    if pooled is not None:
        state = "promoted" if document.pooled_promoted else "refused"
        lines.append(f"pooled model of {document.pooled_hosts} hosts: {state}")
        lines.append(f"  hosts compared: {pooled.hosts}")
        if pooled.brier is not None and pooled.shipped_brier is not None:
            lines.append(f"  Brier score: {pooled.brier:.4f}, shipped model {pooled.shipped_brier:.4f}")
        if pooled.precision is not None and pooled.shipped_precision is not None:
            lines.append(
                f"  average precision at onset: {pooled.precision:.3f}, shipped model {pooled.shipped_precision:.3f}"
            )
    return Report(tuple(lines))

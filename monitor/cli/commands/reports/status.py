"""`monitor status`: state of the daemon, predictions, serving model and scores."""

from __future__ import annotations

import time
from dataclasses import replace

import click

from monitor.cli.actions import load_configuration, print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.fleet_actions import check_host_option, fleet_status, host_option
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, json_option, pass_options


@click.command(
    "status",
    cls=Command,
    examples={
        "monitor status": "Show the status as text.",
        "monitor status --json": "Print the status as JSON, as /api/v1/status does.",
    },
)
@host_option
@json_option
@pass_options
def command(options: GlobalOptions, host: str | None) -> int:
    """Show daemon health, predictions, the active model and recent scores.

    Everything is read from the database, except for the samples not yet stored and for jobs that hang: a running
    daemon is asked at `web.listen`. Exits with status 3 if the daemon is not running. Of a fleet: the number of hosts
    in each state, or one host with `--host`.
    """
    from monitor.documents.live import read_live_status  # noqa: PLC0415
    from monitor.documents.status import status_document  # noqa: PLC0415
    from monitor.documents.status.capacity import capacity_document  # noqa: PLC0415
    from monitor.queries.capacity import read_capacity  # noqa: PLC0415
    from monitor.queries.status import read_overview  # noqa: PLC0415
    from monitor.reports.status import status_report  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.system.redaction import redact_credentials  # noqa: PLC0415

    config = load_configuration(options)
    check_host_option(config, host)
    if config.source.is_fleet:
        return fleet_status(options, config, host)
    with open_stores(config.database_url, create=False) as stores:
        now = time.time()
        overview = read_overview(stores, config, now)
        capacity = read_capacity(stores, config.capacity, None, now)
    document = status_document(overview, redact_credentials(config.database_url))
    if capacity.resources or capacity.scores:
        document = replace(document, capacity=capacity_document(capacity))
    live = read_live_status(config) if document.daemon_running else None
    if live is not None:
        document = replace(document, sampling=live.sampling, storage=live.storage, hung_jobs=live.hung_jobs)
    print_result(options, document, status_report(document))
    return ExitCode.DONE if document.daemon_running else ExitCode.NOT_RUNNING

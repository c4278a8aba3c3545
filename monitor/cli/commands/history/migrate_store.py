"""`monitor migrate-store`: copy the stored history into another database."""

from __future__ import annotations

import click

from monitor.cli.actions import load_configuration, print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, json_option, pass_options

COPY_PATIENCE = 10.0
"""Longest time in seconds to wait for another writer."""


@click.command(
    "migrate-store",
    cls=Command,
    examples={
        "monitor migrate-store sqlite:////var/lib/monitor/monitor.db postgresql+psycopg://monitor@db/monitor": (
            "Copy the history of this host from SQLite to PostgreSQL."
        ),
        "monitor migrate-store postgresql+psycopg://monitor@db/monitor sqlite:////srv/monitor.db --host web-1": (
            "Copy the history of a host from PostgreSQL into a file."
        ),
    },
)
@click.argument("source", metavar="FROM", help="URL of the database to read.")
@click.argument("target", metavar="TO", help="URL of the database to write.")
@click.option(
    "--replace", is_flag=True, help="Delete the history of the target first; without it, a history is an error."
)
@click.option("--host", metavar="NAME", help="Name of the host in PostgreSQL (default: storage.host).")
@json_option
@pass_options
def command(options: GlobalOptions, source: str, target: str, replace: bool, host: str | None) -> int:
    """Copy the stored history into another database.

    FROM and TO are URLs like storage.url. All tables are copied in one transaction and compared by row counts and
    checksums: the target has the whole history or is unchanged. Stop the daemon before, and change storage.url after.
    """
    from monitor.documents.storage import migration_document  # noqa: PLC0415
    from monitor.reports.files import migration_report  # noqa: PLC0415
    from monitor.reports.progress import CopyProgress  # noqa: PLC0415
    from storage import open_database  # noqa: PLC0415
    from storage.transfer import copy_database  # noqa: PLC0415

    config = load_configuration(options)
    urls = [_checked(name, url, host or config.host_name) for name, url in (("FROM", source), ("TO", target))]
    if urls[0] == urls[1]:
        raise click.UsageError("FROM and TO are the same database")
    with (
        open_database(urls[0], busy_timeout=COPY_PATIENCE, create=False) as stored,
        stored.lock("daemon"),
        open_database(urls[1], busy_timeout=COPY_PATIENCE) as opened,
        opened.lock("daemon"),
    ):
        copies = copy_database(stored, opened, CopyProgress().show, replace=replace)
        document = migration_document(stored.name, opened.name, copies)
    print_result(options, document, migration_report(document))
    return ExitCode.DONE


def _checked(name: str, url: str, host: str) -> str:
    """Return the URL of the rows of a host.

    Raises:
        UsageError: the URL or the name of the host is invalid.
    """
    from monitor.config.database_url import is_server_url, read_host, read_url, url_of_host  # noqa: PLC0415

    try:
        read_url(url)
        return url_of_host(url, read_host(host)) if is_server_url(url) else url
    except ValueError as error:
        raise click.UsageError(f"{name}: {error}") from error

"""`monitor import`: add CSV traces to the stored history."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.actions import load_configuration, print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, json_option, pass_options
from monitor.cli.parameters import INPUT_FILE, with_one_standard_input
from monitor.cli.trace_options import trace_options

if TYPE_CHECKING:
    from monitor.sampling.trace_format.options import TraceOptions
    from monitor.sampling.trace_reader import TraceRows
    from monitor.stores import Stores


@click.command(
    "import",
    cls=Command,
    examples={
        "monitor import history.csv.gz": "Import one file.",
        "monitor import january.csv february.csv --json": "Import two files, and print one JSON document per file.",
        "monitor import load.csv --map timestamp=Time --map cpu_usage=CPU --percent --dry-run": "Show what would be "
        "stored from a file of another tool.",
        "ssh web1 monitor export - | monitor import -": "Copy the history of another host.",
    },
)
@click.argument(
    "traces", metavar="TRACE...", nargs=-1, required=True, type=INPUT_FILE, callback=with_one_standard_input,
    help="CSV file, plain or compressed with gzip; - is stdin.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what would be stored, and store nothing.")
@click.option("--replace", is_flag=True, help="Replace stored values. Default: keep them and fill missing ones.")
@trace_options
@json_option
@pass_options
def command(
    options: GlobalOptions,
    traces: tuple[Path, ...],
    dry_run: bool,
    replace: bool,
    interpretation: TraceOptions,
) -> int:
    """Import CSV traces into the stored history.

    A trace has a column `timestamp` and any fields of a sample, its rows in any order; an empty cell is a missing
    value. Times are seconds since the epoch (or milli-, micro- or nanoseconds), or ISO 8601 with a time zone. Ratios
    are 0 to 1, rates bytes per second.

    All files are checked before the first row is stored. Stored values are kept, and missing ones are filled.
    Predictions that a training run replayed over changed samples are deleted. The daemon may keep running. `monitor
    purge` removes a period again.
    """
    from monitor.documents.traces import trace_import_document  # noqa: PLC0415
    from monitor.reports.files import trace_import_report  # noqa: PLC0415
    from monitor.sampling.trace_format.options import check_columns_exist  # noqa: PLC0415
    from monitor.sampling.trace_importer import import_rows, simulate_import  # noqa: PLC0415
    from monitor.sampling.trace_reader import read_rows  # noqa: PLC0415
    from monitor.stores import delete_replayed  # noqa: PLC0415

    config = load_configuration(options)
    interpretation = dataclasses.replace(interpretation, now=time.time())
    files = [(path, read_rows(path, interpretation)) for path in traces]
    check_columns_exist(interpretation, {path: rows.names for path, rows in files})
    _warn(files)
    with _stores(config.database_url, dry_run=dry_run) as (stored, target):
        for path, rows in files:
            if dry_run:
                counts = simulate_import(stored.samples, target.samples, rows, replace=replace)
            else:
                forget = partial(delete_replayed, target)
                counts = import_rows(target.samples, rows, replace=replace, on_change=forget)
            document = trace_import_document(path, rows, counts, config.sampling.interval, dry_run=dry_run)
            print_result(options, document, trace_import_report(document))
    return ExitCode.DONE


@contextmanager
def _stores(url: str, *, dry_run: bool) -> Iterator[tuple[Stores, Stores]]:
    """Yield the repositories to read and to write; in a dry run, those to write use an in-memory database."""
    from monitor.stores import open_stores  # noqa: PLC0415
    from storage import StorageError, StorageErrorKind  # noqa: PLC0415

    with ExitStack() as stack:
        if not dry_run:
            stores = stack.enter_context(open_stores(url))
            yield stores, stores
            return
        scratch = stack.enter_context(open_stores("sqlite://"))
        try:
            stored = stack.enter_context(open_stores(url, create=False))
        except StorageError as error:
            if error.kind is not StorageErrorKind.MISSING:
                raise
            # No database exists, so no samples are stored: read the empty in-memory database instead.
            stored = scratch
        yield stored, scratch


def _warn(files: list[tuple[Path, TraceRows]]) -> None:
    """Print a warning for each file without rows."""
    from monitor.system.logging import print_warning  # noqa: PLC0415

    for path, rows in files:
        if not rows.counts.rows:
            print_warning("empty trace skipped", f"{path}: no rows after the header", file=path)

"""`monitor import`: add CSV traces to the stored history."""

from __future__ import annotations

import time
from pathlib import Path

import click

from monitor.cli.actions import load_configuration, print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, json_option, pass_options
from monitor.cli.parameters import INPUT_FILE


@click.command(
    "import",
    cls=Command,
    examples={
        "monitor import history.csv.gz": "Import one file.",
        "monitor import january.csv february.csv --json": "Import several, and print one document for each.",
        "ssh web1 monitor export - | monitor import -": "Copy the history of another host.",
    },
)
@click.argument(
    "traces", metavar="TRACE...", nargs=-1, required=True, type=INPUT_FILE,
    help="CSV file, compressed if its name ends in .gz; - is stdin.",
)  # fmt: skip
@json_option
@pass_options
def command(options: GlobalOptions, traces: tuple[Path, ...]) -> int:
    """Import CSV traces into the stored history.

    A trace has a column `timestamp` (seconds since the epoch) and any fields of a sample, its rows in any order; an
    empty cell is a missing value. Stored samples are kept. The daemon may run meanwhile.
    """
    from monitor.documents.traces import trace_import_document  # noqa: PLC0415
    from monitor.reports.files import trace_import_report  # noqa: PLC0415
    from monitor.sampling.trace_reader import TraceStatistics, drop_future_rows, read_trace_chunks  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.system.logging import print_warning  # noqa: PLC0415

    with open_stores(load_configuration(options).database_url) as stores:
        for path in traces:
            counts = TraceStatistics()
            added = 0
            for table in read_trace_chunks(path, counts):
                added += stores.samples.insert_missing(drop_future_rows(table, time.time(), counts))
            counts.repeated = counts.rows - counts.future - added
            if not counts.rows:
                print_warning("empty trace skipped", f"{path}: no rows after the header", file=path)
            if counts.future:
                print_warning(
                    "rows skipped: timestamp in the future",
                    f"{path}: {counts.future} rows skipped: timestamp more than a day in the future",
                    file=path,
                    rows=counts.future,
                )
            document = trace_import_document(path, counts, added)
            print_result(options, document, trace_import_report(document))
    return ExitCode.DONE

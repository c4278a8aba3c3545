"""Commands on the history: in and out as CSV."""

from __future__ import annotations

import argparse
import sys
import time

from monitor.cli.commands.common import answer, config_of
from monitor.errors import EXIT_DONE
from monitor.reports.blocks import Report


def bring_in(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict  # noqa: PLC0415

    from monitor.sampling.csv_traces import TraceCounts, trace_chunks, without_future  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.system.logging import print_warning  # noqa: PLC0415

    with open_stores(config_of(arguments).database_url) as stores:
        for path in arguments.traces:
            counts, added = TraceCounts(), 0
            for table in trace_chunks(path, counts):
                added += stores.samples.add_missing(without_future(table, time.time(), counts))
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
            answer(
                arguments,
                {"file": str(path), "added": added, **asdict(counts)},
                Report((f"{path}: {added} samples added ({counts})",)),
            )
    return EXIT_DONE


def write_out(arguments: argparse.Namespace) -> int:
    from monitor.sampling.csv_traces import create_text, stored_tables, write_trace  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.system.logging import logs_are_json  # noqa: PLC0415

    since = 0.0 if arguments.since is None else time.time() - arguments.since
    with open_stores(config_of(arguments).database_url, create=False) as stores:
        tables = stored_tables(stores.samples, since)
        if arguments.file is None:
            write_trace(sys.stdout, tables)
        else:
            with create_text(arguments.file) as file:
                written = write_trace(file, tables)
            if not logs_are_json():
                print(f"{arguments.file}: {written} samples", file=sys.stderr)
    return EXIT_DONE

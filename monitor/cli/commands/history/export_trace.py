"""`monitor export`: write the stored history as a CSV trace."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import click

from monitor.cli.exit_codes import ExitCode
from monitor.cli.fleet_actions import load_host_configuration
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, pass_options
from monitor.cli.parameters import OUTPUT_FILE, START
from monitor.system.standard_streams import STANDARD_OUTPUT


@click.command(
    "export",
    cls=Command,
    examples={
        "monitor export history.csv.gz": "Write the whole history, compressed.",
        "monitor export --since 7d": "Write the last 7 days to stdout.",
    },
)
@click.argument(
    "file", metavar="[FILE]", required=False, type=OUTPUT_FILE,
    help="File to write, compressed if its name ends in .gz. Default: stdout, also for -.",
)  # fmt: skip
@click.option(
    "--since",
    metavar="DURATION",
    type=START,
    help='Write this much history, e.g. "7d", or from this time on. Default: all.',
)
@pass_options
def command(options: GlobalOptions, file: Path | None, since: float | None) -> int:
    """Write the stored history as a CSV trace.

    `monitor import` and `monitor backtest` read this format. The daemon may keep running.
    """
    from monitor.sampling.trace_writer import open_text_output, write_trace  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from monitor.system.logging import logs_are_json  # noqa: PLC0415

    with open_stores(load_host_configuration(options).database_url, create=False) as stores:
        tables = stores.samples.chunks(-math.inf if since is None else since)
        if file is None or file == STANDARD_OUTPUT:
            write_trace(sys.stdout, tables)
            return ExitCode.DONE
        with open_text_output(file) as text:
            written = write_trace(text, tables)
    if not logs_are_json():
        sys.stderr.write(f"{file}: {written} samples\n")
    return ExitCode.DONE

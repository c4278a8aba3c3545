"""`monitor import`: add the history of other tools to the stored history."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.exit_codes import ExitCode
from monitor.cli.fleet_actions import load_host_configuration
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, json_option, pass_options
from monitor.cli.parameters import INPUT_FILE, with_one_standard_input
from monitor.cli.prometheus_options import PrometheusOptions, prometheus_options
from monitor.cli.trace_options import TIME_COLUMN, trace_options
from monitor.system.standard_streams import STANDARD_INPUT

if TYPE_CHECKING:
    from monitor.config.loader import Config
    from monitor.sampling.history_sources.history_file import HistoryFile
    from monitor.sampling.trace_format.options import TraceOptions


@click.command(
    "import",
    cls=Command,
    examples={
        "monitor import history.csv.gz": "Import one file.",
        "monitor import january.csv february.csv --json": "Import two files, and print one JSON document per file.",
        "monitor import load.csv --map timestamp=Time --map cpu_usage=CPU --percent --dry-run": "Show what would be "
        "stored from a file of another tool.",
        "monitor import --prometheus http://localhost:9090 --selector '{instance=\"web1:9100\"}' --train": "Import "
        "what Prometheus has of a host with node_exporter, and train on it.",
        "sadf -j /var/log/sysstat/sa01 -- -A | monitor import --sadf -": "Import a day of sysstat.",
        "ssh web1 monitor export - | monitor import -": "Copy the history of another host.",
    },
)
@click.argument(
    "traces", metavar="[FILE]...", nargs=-1, type=INPUT_FILE, callback=with_one_standard_input,
    help="CSV, JSON of a Prometheus query or of sadf, plain or compressed with gzip; - is stdin.",
)  # fmt: skip
@click.option(
    "--sadf", "sadf_files", metavar="FILE", multiple=True, type=INPUT_FILE, callback=with_one_standard_input,
    help="Output of `sadf -j`; - is stdin; repeatable.",
)  # fmt: skip
@click.option("--host", metavar="NAME", default="", help="Host to import from output of sadf with several hosts.")
@click.option("--dry-run", is_flag=True, help="Show what would be stored, and store nothing.")
@click.option("--replace", is_flag=True, help="Replace stored values. Default: keep them and fill missing ones.")
@click.option("--train", is_flag=True, help="Train on the stored history afterwards, as `monitor retrain` does.")
@prometheus_options
@trace_options
@json_option
@pass_options
def command(  # noqa: PLR0913, PLR0917 - one parameter per option
    options: GlobalOptions,
    traces: tuple[Path, ...],
    sadf_files: tuple[Path, ...],
    host: str,
    dry_run: bool,
    replace: bool,
    train: bool,
    server: PrometheusOptions | None,
    interpretation: TraceOptions,
) -> int:
    """Import the history of other tools into the stored history.

    A CSV trace has a column `timestamp` and any fields of a sample, its rows in any order; an empty cell is a missing
    value. Times are seconds since the epoch (or milli-, micro- or nanoseconds), or ISO 8601 with a time zone. Ratios
    are 0 to 1, rates bytes per second. CSV of Grafana and JSON are recognised by their content.

    With --prometheus, the fields are computed from the metrics of node_exporter, and --map NAME=EXPRESSION computes a
    field from a PromQL expression.

    All files are checked before the first row is stored. Stored values are kept, and missing ones are filled.
    Predictions that a training run replayed over changed samples are deleted. The daemon may keep running. `monitor
    purge` removes a period again.
    """
    from monitor.cli.import_actions import import_files, import_from_server, import_target  # noqa: PLC0415

    if train and dry_run:
        raise click.UsageError("--train trains on stored rows, and --dry-run stores none: use one of them")
    _check_sources(traces + sadf_files, server, interpretation)
    config = load_host_configuration(options)
    interpretation = dataclasses.replace(interpretation, now=time.time())
    files = _read_files(config, traces, sadf_files, interpretation, host)
    with import_target(config.database_url, dry_run=dry_run, replaces=replace) as target:
        if server is None:
            import_files(options, config, target, files)
        else:
            import_from_server(options, config, target, server, _expressions(interpretation))
    if not train:
        return ExitCode.DONE
    from monitor.cli.training_action import train_and_report  # noqa: PLC0415

    return train_and_report(options, config)


def _check_sources(files: tuple[Path, ...], server: PrometheusOptions | None, interpretation: TraceOptions) -> None:
    """Raise click.UsageError unless there are either files or a server."""
    if files and server is not None:
        raise click.UsageError("import either files or --prometheus")
    if files.count(STANDARD_INPUT) > 1:
        raise click.UsageError("- may be given once only")
    if not files and server is None:
        raise click.UsageError("name a file, --sadf FILE or --prometheus URL")
    if server is not None and TIME_COLUMN in _expressions(interpretation):
        raise click.UsageError(f"--map: {TIME_COLUMN} is no field")


def _expressions(interpretation: TraceOptions) -> dict[str, str]:
    """Return the PromQL expression for each field that `--map` states."""
    return {field: expression for expression, field in interpretation.columns.items()}


def _read_files(
    config: Config,
    traces: Iterable[Path],
    sadf_files: Iterable[Path],
    interpretation: TraceOptions,
    host: str,
) -> list[HistoryFile]:
    """Read and check all files, and print a warning for each file without rows."""
    from monitor.sampling.history_sources.history_file import FileOptions, read_history_file  # noqa: PLC0415
    from monitor.sampling.import_summary import HistorySource  # noqa: PLC0415
    from monitor.sampling.trace_format.options import check_columns_exist  # noqa: PLC0415
    from monitor.system.logging import print_warning  # noqa: PLC0415

    options = FileOptions(interpretation, host, config.sampling.network_exclude)
    files = [read_history_file(path, options) for path in traces]
    files += [read_history_file(path, options, expected=HistorySource.SADF) for path in sadf_files]
    if files:
        check_columns_exist(interpretation, {file.path: file.rows.names for file in files})
    for file in files:
        if not file.rows.counts.rows:
            print_warning("empty trace skipped", f"{file.path}: has no rows", file=file.path)
    return files

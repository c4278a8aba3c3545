"""Import actions: rows of files or of a server into the database, part by part."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from monitor.cli.actions import print_result
from monitor.cli.options import GlobalOptions
from monitor.cli.prometheus_options import PrometheusOptions

if TYPE_CHECKING:
    from monitor.config.loader import Config
    from monitor.documents.traces import ImportOrigin
    from monitor.sampling.history_sources.history_file import HistoryFile
    from monitor.sampling.history_sources.prometheus_history import PrometheusHistory
    from monitor.sampling.trace_reader import TraceRows
    from monitor.stores import Stores

SKEW_TOLERANCE = 30.0
"""Seconds by which the clocks of server and host may differ without a note."""


@dataclass(frozen=True)
class ImportTarget:
    """Database of an import.

    Attributes:
        stored: repositories with the present history.
        target: repositories to write; those of an in-memory database in a dry run.
        dry_run: True to store nothing.
        replaces: True to replace stored values.
    """

    stored: Stores
    target: Stores
    dry_run: bool
    replaces: bool


@contextmanager
def import_target(url: str, *, dry_run: bool, replaces: bool) -> Iterator[ImportTarget]:
    """Open the database at `url`; in a dry run, rows are written to an in-memory database."""
    from monitor.stores import open_stores  # noqa: PLC0415
    from storage import StorageError, StorageErrorKind  # noqa: PLC0415

    with ExitStack() as stack:
        if not dry_run:
            stores = stack.enter_context(open_stores(url))
            yield ImportTarget(stores, stores, dry_run, replaces)
            return
        scratch = stack.enter_context(open_stores("sqlite://"))
        try:
            stored = stack.enter_context(open_stores(url, create=False))
        except StorageError as error:
            if error.kind is not StorageErrorKind.MISSING:
                raise
            # No database exists, so no samples are stored: read the empty in-memory database instead.
            stored = scratch
        yield ImportTarget(stored, scratch, dry_run, replaces)


def import_files(options: GlobalOptions, config: Config, target: ImportTarget, files: Sequence[HistoryFile]) -> None:
    """Import files that have been read, and print one result for each."""
    from monitor.documents.traces import ImportOrigin  # noqa: PLC0415

    for file in files:
        origin = ImportOrigin(file=str(file.path), source=file.source, host=file.host)
        _import_parts(options, config, target, origin, [file.rows])


def import_from_server(
    options: GlobalOptions,
    config: Config,
    target: ImportTarget,
    server: PrometheusOptions,
    expressions: dict[str, str],
) -> None:
    """Import the history of one host from a server, and print the result.

    Each period is stored before the next is queried, so that an interrupted import can be repeated at little cost.

    Raises:
        ConfigError: the HTTP client configuration is invalid.
        MonitorError: the server does not answer, refuses a query, or has no such host.
    """
    from monitor.documents.traces import ImportOrigin  # noqa: PLC0415
    from monitor.sampling.import_summary import HistorySource  # noqa: PLC0415

    history = _open_history(config, server, expressions)
    client = history.api.client
    host = history.host.name if history.host else ""
    origin = ImportOrigin(file=client.url, source=HistorySource.PROMETHEUS, host=host, notes=history.api.warnings)
    if client.clock_skew is not None and abs(client.clock_skew) > SKEW_TOLERANCE:
        direction = "ahead of" if client.clock_skew > 0 else "behind"
        note = f"the clock of the server is {abs(client.clock_skew):.0f} s {direction} the clock of this host"
        history.api.warnings.append(note)
    stored = None if target.replaces else target.stored.samples.between
    _import_parts(options, config, target, origin, _with_progress(history, history.rows(stored)))


def _open_history(config: Config, server: PrometheusOptions, expressions: dict[str, str]) -> PrometheusHistory:
    from monitor.config.http_client_config import load_http_settings  # noqa: PLC0415
    from monitor.sampling.history_sources.http_client import HttpClient  # noqa: PLC0415
    from monitor.sampling.history_sources.prometheus_api import PrometheusApi  # noqa: PLC0415
    from monitor.sampling.history_sources.prometheus_history import HistoryQuery, PrometheusHistory  # noqa: PLC0415

    settings = load_http_settings(
        server.http_config, server.headers, os.environ, user=server.url.user, timeout=server.timeout
    )
    now = time.time()
    query = HistoryQuery(
        selector=server.selector,
        start=server.since if server.since is not None else now - config.storage.retention,
        end=now,
        step=None if server.step is None else int(server.step),
        least_step=config.sampling.interval,
        expressions=expressions,
        network_exclude=config.sampling.network_exclude,
    )
    return PrometheusHistory(PrometheusApi(HttpClient(server.url.base, settings)), query)


def _with_progress(history: PrometheusHistory, parts: Iterable[TraceRows]) -> Iterator[TraceRows]:
    """Yield the parts, and show on stderr how much of the period each one completes."""
    from monitor.reports.progress import show_import_progress  # noqa: PLC0415

    for rows in parts:
        yield rows
        show_import_progress(history.progress(rows))


def _import_parts(
    options: GlobalOptions, config: Config, target: ImportTarget, origin: ImportOrigin, parts: Iterable[TraceRows]
) -> None:
    """Store the parts of one source one by one, and print the result."""
    from monitor.documents.traces import trace_import_document  # noqa: PLC0415
    from monitor.reports.files import trace_import_report  # noqa: PLC0415
    from monitor.sampling.import_summary import HistorySource, ImportSummary  # noqa: PLC0415
    from monitor.sampling.trace_importer import import_rows, simulate_import  # noqa: PLC0415
    from monitor.stores import delete_replayed  # noqa: PLC0415

    summary = ImportSummary()
    forget = partial(delete_replayed, target.target)
    for rows in parts:
        if not target.dry_run:
            counts = import_rows(target.target.samples, rows, replace=target.replaces, on_change=forget)
        else:
            counts = simulate_import(target.stored.samples, target.target.samples, rows, replace=target.replaces)
            if origin.source is HistorySource.PROMETHEUS:
                # The parts of a server have no time in common.
                target.target.samples.purge_between(-math.inf, math.inf)
        summary.add(rows, counts)
    document = trace_import_document(origin, summary, config.sampling.interval, dry_run=target.dry_run)
    print_result(options, document, trace_import_report(document))

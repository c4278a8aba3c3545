"""Fleet metrics: Prometheus families of the fleet process without a label for a host."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from monitor.exporter.family_builders import counter, gauge, horizon_gauge, labelled_counter, labelled_gauge
from monitor.exporter.jobs import job_metrics
from monitor.exporter.notifications import notification_metrics
from monitor.fleet.process.state import CycleState, FleetState
from monitor.fleet.remote_write.state import RemoteWriteState
from monitor.fleet.serving.host_documents import status_document
from monitor.fleet.source.statistics import SourceStatistics
from monitor.system.queued_stderr import dropped_log_lines


def fleet_metrics(state: FleetState) -> Iterator[Metric]:
    """Yield the metrics without a host; unknown values are absent."""
    yield labelled_gauge(
        "build_info",
        "Version of monitor and of Python; always 1.",
        ["version", "python"],
        [((state.version, state.python), 1)],
    )
    yield from _host_counts(state)
    yield from _cycle_metrics(state.cycle)
    if state.statistics is not None:
        yield from _source_metrics(state.statistics)
    yield counter(
        "storage_write_failures",
        "Number of failed writes to the database since the start of the daemon.",
        state.storage.failures,
    )
    if state.remote_write is not None:
        yield from _remote_write_metrics(state.remote_write)
    yield from job_metrics(state.jobs)
    yield from notification_metrics(state.channels)
    yield from _process_metrics(state)


def _host_counts(state: FleetState) -> Iterator[Metric]:
    status = status_document(state)
    yield gauge("fleet_hosts", "Number of hosts that are followed.", status.hosts)
    yield gauge("fleet_predicted_hosts", "Number of hosts with a current prediction.", status.predicted)
    yield gauge("fleet_stale_hosts", "Number of hosts without a sample in the newest steps.", status.stale)
    yield gauge("fleet_pending_hosts", "Number of hosts whose histories are still to be read.", status.pending)
    yield gauge("fleet_high_load_hosts", "Number of hosts with high load.", status.high_load)
    table = state.table
    predicted = table.predicted(state.step)
    yield horizon_gauge(
        "fleet_warning_hosts",
        "Number of hosts with an active warning for the horizon.",
        [
            (horizon, float((table.warnings[:, number] & predicted).sum()))
            for number, horizon in enumerate(table.horizons)
        ],
    )
    yield labelled_gauge(
        "fleet_model_hosts",
        "Number of hosts that a model serves, by model: pretrained, pooled or own.",
        ["model"],
        [((model,), count) for model, count in status.models.items()],
    )


def _source_metrics(statistics: SourceStatistics) -> Iterator[Metric]:
    yield labelled_counter(
        "fleet_queries",
        "Number of live queries to the source since the start of the process, by field.",
        "field",
        statistics.queries.items(),
    )
    yield labelled_counter(
        "fleet_query_failures",
        "Number of failed live queries to the source since the start of the process, by field.",
        "field",
        statistics.failures.items(),
    )
    yield labelled_counter(
        "fleet_rejected_values",
        "Number of values outside the bounds of their field since the start of the process, by field.",
        "field",
        statistics.rejected.items(),
    )
    yield counter(
        "fleet_duplicate_series",
        "Number of values since the start of the process that were left out, as a host had several series.",
        statistics.duplicates,
    )
    yield counter(
        "fleet_partial_answers",
        "Number of partial answers of the source that were accepted since the start of the process.",
        statistics.partial,
    )


def _remote_write_metrics(remote_write: RemoteWriteState) -> Iterator[Metric]:
    yield counter(
        "fleet_remote_write_requests",
        "Number of remote write requests since the start of the process that the server accepted.",
        remote_write.sent,
    )
    yield counter(
        "fleet_remote_write_failures",
        "Number of failed remote write requests since the start of the process; most are repeated.",
        remote_write.failures,
    )
    yield counter(
        "fleet_remote_write_dropped",
        "Number of remote write requests since the start of the process that were given up.",
        remote_write.dropped,
    )
    yield gauge("fleet_remote_write_pending", "Number of remote write requests that wait.", remote_write.pending)


def _cycle_metrics(cycle: CycleState) -> Iterator[Metric]:
    yield counter(
        "fleet_cycles", "Number of cycles since the start of the process, failed ones included.", cycle.cycles
    )
    if cycle.cycle_seconds is not None:
        yield gauge(
            "fleet_cycle_seconds",
            "Duration of the newest cycle in seconds: queries, predictions and publication.",
            cycle.cycle_seconds,
        )
        yield gauge(
            "fleet_source_success", "Result of the newest read of the source: 1 or 0.", cycle.source_error is None
        )
    yield counter(
        "fleet_source_errors",
        "Number of failed reads of samples and histories since the start of the process.",
        cycle.source_errors,
    )
    yield counter(
        "fleet_filled_steps",
        "Number of missed steps since the start of the process that were filled from the history of the source.",
        cycle.filled_steps,
    )
    yield counter(
        "fleet_lost_steps",
        "Number of missed steps since the start of the process that could not be filled.",
        cycle.lost_steps,
    )
    if cycle.newest is not None:
        yield gauge(
            "last_sample_timestamp_seconds", "Time of the newest sample, in seconds since the epoch.", cycle.newest
        )


def _process_metrics(state: FleetState) -> Iterator[Metric]:
    yield counter(
        "log_dropped",
        "Number of log lines since the start of the daemon that could not be written, as stderr is blocked.",
        dropped_log_lines(),
    )
    yield gauge(
        "config_last_reload_successful",
        "Result of the last reload of the configuration: 1 if it took effect, 0 if refused; 1 after a start.",
        state.reload_successful,
    )
    yield counter(
        "config_reload_failures",
        "Number of failed reloads of the configuration since the start of the daemon.",
        state.reload_failures,
    )
    yield gauge(
        "config_last_reload_success_timestamp_seconds",
        "Time at which a configuration last took effect, in seconds since the epoch.",
        state.reloaded_at,
    )

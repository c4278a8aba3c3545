"""Prometheus collector: all metrics of one immutable state of the daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from monitor.exporter.anomalies import anomaly_metrics
from monitor.exporter.capacity import capacity_metrics
from monitor.exporter.database import record_metrics, write_metrics
from monitor.exporter.exposition import MetricGroup
from monitor.exporter.family_builders import counter, gauge, labelled_gauge
from monitor.exporter.host import host_metrics, sampling_metrics
from monitor.exporter.jobs import job_metrics
from monitor.exporter.model import drift_metrics, model_metrics
from monitor.exporter.notifications import notification_metrics
from monitor.exporter.predictions import forecast_metrics, high_load_metrics, score_metrics
from monitor.exporter.training import report_metrics, retraining_metrics
from monitor.queries.overview import Overview
from monitor.state import DaemonState, JobState, LiveState


class StateCollector(Collector):
    """Prometheus collector that reads the daemon's state at each scrape. Unknown values are absent, never 0."""

    def __init__(self, state: Callable[[], DaemonState]) -> None:
        self._state = state

    def groups(self) -> Iterator[MetricGroup]:
        """Yield the metrics that have a value now, grouped by the parts of the state that they are made from."""
        state = self._state()
        yield MetricGroup("build", (state.version, state.python), _build_metrics)
        if state.live:
            yield MetricGroup("live", (state.live, state.host_metrics), _live_metrics)
            if state.live.forecast is not None:
                yield MetricGroup("forecast", (state.live.forecast,), forecast_metrics)
        yield MetricGroup("writes", (state.storage,), write_metrics)
        if state.overview:
            yield MetricGroup("records", (state.overview,), _record_metrics)
        yield MetricGroup("anomalies", (state.anomaly,), anomaly_metrics)
        yield MetricGroup("capacity", (state.capacity,), capacity_metrics)
        ready = state.live is not None and state.live.model_id is not None
        yield MetricGroup("model", (ready, state.overview), model_metrics)
        for name, job in state.jobs.items():
            yield MetricGroup(f"job {name}", (name, job), _metrics_of_job)
        yield MetricGroup("channels", (state.channels,), notification_metrics)
        process = state.log_lines_dropped, state.reload_successful, state.reload_failures, state.reloaded_at
        yield MetricGroup("process", process, _process_metrics)

    def collect(self) -> Iterator[Metric]:
        """Yield every metric that has a value now."""
        families: dict[str, Metric] = {}
        for group in self.groups():
            for family in group.families(*group.inputs):
                known = families.setdefault(family.name, family)
                if known is not family:
                    known.samples.extend(family.samples)
        yield from families.values()


def _build_metrics(version: str, python: str) -> Iterator[Metric]:
    """Yield the versions of monitor and of Python."""
    yield labelled_gauge(
        "build_info",
        "Version of monitor and of Python; always 1.",
        ["version", "python"],
        [((version, python), 1)],
    )


def _live_metrics(live: LiveState, with_host: bool) -> Iterator[Metric]:
    """Yield the metrics of the newest sampling cycle, except its forecast; host metrics only if `with_host`."""
    if with_host:
        yield from host_metrics(live.sample)
    yield from high_load_metrics(live)
    yield from sampling_metrics(live)
    yield counter(
        "predictions",
        "Number of times that predictions were made since the start of the daemon.",
        live.predictions_total,
    )


def _record_metrics(overview: Overview) -> Iterator[Metric]:
    """Yield the metrics that are derived from database records."""
    yield from retraining_metrics(overview)
    yield from drift_metrics(overview)
    yield from record_metrics(overview)
    if overview.last_run and overview.last_run.report:
        yield from report_metrics(overview.last_run.report)
    yield from score_metrics(overview.scores)


def _metrics_of_job(name: str, state: JobState) -> Iterator[Metric]:
    """Yield the metrics of one job."""
    return job_metrics({name: state})


def _process_metrics(
    log_lines_dropped: int, reload_successful: bool, reload_failures: int, reloaded_at: float
) -> Iterator[Metric]:
    """Yield the number of lost log lines, and the state of the configuration reloads."""
    yield counter(
        "log_dropped",
        "Number of log lines since the start of the daemon that could not be written, as stderr is blocked.",
        log_lines_dropped,
    )
    yield gauge(
        "config_last_reload_successful",
        "Result of the last reload of the configuration: 1 if it took effect, 0 if refused; 1 after a start.",
        reload_successful,
    )
    yield counter(
        "config_reload_failures",
        "Number of failed reloads of the configuration since the start of the daemon.",
        reload_failures,
    )
    yield gauge(
        "config_last_reload_success_timestamp_seconds",
        "Time at which a configuration last took effect, in seconds since the epoch.",
        reloaded_at,
    )

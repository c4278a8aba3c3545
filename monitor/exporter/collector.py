"""Prometheus collector: all metrics of one immutable state of the daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from monitor.exporter.anomalies import anomaly_metrics
from monitor.exporter.database import record_metrics, write_metrics
from monitor.exporter.family_builders import counter, gauge, labelled_gauge
from monitor.exporter.host import host_metrics, sampling_metrics
from monitor.exporter.jobs import job_metrics
from monitor.exporter.model import drift_metrics, model_metrics
from monitor.exporter.notifications import notification_metrics
from monitor.exporter.predictions import high_load_metrics, prediction_metrics, score_metrics
from monitor.exporter.training import report_metrics, retraining_metrics
from monitor.queries.overview import Overview
from monitor.state import DaemonState, LiveState


class StateCollector(Collector):
    """Prometheus collector that reads the daemon's state at each scrape. Unknown values are absent, never 0."""

    def __init__(self, state: Callable[[], DaemonState]) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """Yield every metric that has a value now."""
        state = self._state()
        yield labelled_gauge(
            "build_info",
            "Version of monitor and of Python; always 1.",
            ["version", "python"],
            [((state.version, state.python), 1)],
        )
        if state.live:
            yield from _live_metrics(state.live, with_host=state.host_metrics)
        yield from write_metrics(state.storage)
        if state.overview:
            yield from _record_metrics(state.overview)
        yield from anomaly_metrics(state.anomaly)
        yield from model_metrics(state)
        yield from job_metrics(state.jobs)
        yield from notification_metrics(state.channels)
        yield counter(
            "log_dropped",
            "Number of log lines since the start of the daemon that could not be written, as stderr is blocked.",
            state.log_lines_dropped,
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


def _live_metrics(live: LiveState, *, with_host: bool) -> Iterator[Metric]:
    """Yield the metrics of the newest sampling cycle; host metrics only if `with_host` is True."""
    if with_host:
        yield from host_metrics(live.sample)
    yield from high_load_metrics(live)
    yield from sampling_metrics(live)
    yield from prediction_metrics(live)


def _record_metrics(overview: Overview) -> Iterator[Metric]:
    """Yield the metrics that are derived from database records."""
    yield from retraining_metrics(overview)
    yield from drift_metrics(overview)
    yield from record_metrics(overview)
    if overview.last_run and overview.last_run.report:
        yield from report_metrics(overview.last_run.report)
    yield from score_metrics(overview.scores)

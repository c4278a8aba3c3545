"""Every Prometheus metric, and nothing else: one collector over one immutable status.

What is not known is absent, never 0: no model, no probability.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from model.forecast.online.decisions import FALLBACK_BASELINES
from monitor.exporter.anomalies import of_anomalies
from monitor.exporter.metric_families import counter, gauge, labelled
from monitor.exporter.model import of_model, of_scores, of_training
from monitor.queries.status import Overview
from monitor.state import DaemonState, LiveState
from monitor.stores import is_warning
from monitor.system.formatting import format_duration
from storage import SAMPLE_FIELDS

HOST_HELP: dict[str, tuple[str, str]] = {
    "cpu_usage": ("ratio", "Share of all CPUs that was busy, iowait not counted."),
    "cpu_iowait": ("ratio", "Share of all CPUs that was idle waiting for I/O."),
    "cpu_steal": ("ratio", "Share of all CPUs that the hypervisor gave to others."),
    "load_per_cpu": ("ratio", "1-minute load average over the number of CPUs."),
    "memory_usage": ("ratio", "1 - available / total memory."),
    "swap_usage": ("ratio", "Share of the swap space in use."),
    "network_receive": ("bytes_per_second", "Received over all counted interfaces."),
    "network_transmit": ("bytes_per_second", "Transmitted over all counted interfaces."),
    "network_errors": ("per_second", "Errors and drops over all counted interfaces."),
    "network_usage": ("ratio", "The busier direction of the busiest interface over its link speed."),
    "disk_read": ("bytes_per_second", "Read from all physical disks."),
    "disk_write": ("bytes_per_second", "Written to all physical disks."),
    "disk_busy": ("ratio", "Share of the time in which the busiest disk worked."),
    "pressure_cpu": ("ratio", "Share of the time in which some task waited for a CPU (Linux PSI)."),
    "pressure_memory": ("ratio", "Share of the time in which some task waited for memory (Linux PSI)."),
    "pressure_io": ("ratio", "Share of the time in which some task waited for I/O (Linux PSI)."),
}


class StateCollector(Collector):
    """Makes the page fresh from the status of the moment it is asked."""

    def __init__(self, status: Callable[[], DaemonState]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Every metric that has a meaning now."""
        status = self._status()
        yield labelled(
            "build_info",
            "Version of monitor and of Python.",
            ["version", "python"],
            [((status.version, status.python), 1)],
        )
        if status.live:
            yield from _live(status.live, host_metrics=status.host_metrics)
        if status.overview:
            yield from _records(status.overview)
            yield from of_scores(status.overview.scores)
        yield from of_anomalies(status.anomaly)
        yield from of_model(status)
        yield from _jobs(status)
        yield gauge("config_last_reload_successful", "Whether the last reload took effect.", status.reload_successful)
        yield gauge(
            "config_last_reload_success_timestamp_seconds",
            "When a configuration last took effect.",
            status.reloaded_at,
        )


def _live(live: LiveState, *, host_metrics: bool) -> Iterator[Metric]:
    if host_metrics:
        for field in SAMPLE_FIELDS:
            unit, text = HOST_HELP[field]
            value = getattr(live.sample, field)
            if value is not None:
                yield gauge(f"host_{field}_{unit}", text, value)
    if live.high_load is not None:
        yield gauge("high_load_active", "Whether high load holds now, for as long as it must last.", live.high_load)
    yield counter("samples", "Samples taken since the start.", live.samples_total)
    yield counter("samples_missed", "Samples that should have been taken and were not.", live.samples_missed)
    yield gauge("last_sample_timestamp_seconds", "Time of the last sample.", live.sample.at)
    states = live.sources.items()
    yield labelled(
        "source_success", "Whether a source gave its figures.", ["source"], [((n,), s.success) for n, s in states]
    )
    yield labelled(
        "source_duration_seconds", "How long a source took.", ["source"], [((n,), s.duration) for n, s in states]
    )
    yield counter("storage_write_failures", "Writes that failed since the start.", live.write_failures)
    yield gauge("storage_buffered_samples", "Samples waiting in memory for storage.", live.samples_buffered)
    yield from _forecast(live)


def _forecast(live: LiveState) -> Iterator[Metric]:
    yield counter("predictions", "Predictions made since the start.", live.predictions_total)
    if live.forecast is None:
        return
    predictions = live.forecast.predictions
    names = [format_duration(p.horizon) for p in predictions]

    def by_horizon(name: str, text: str, values: list[float]) -> Metric:
        return labelled(name, text, ["horizon"], [((n,), v) for n, v in zip(names, values, strict=True)])

    yield by_horizon(
        "high_load_probability",
        "Calibrated probability that high load occurs within the horizon.",
        [p.probability for p in predictions],
    )
    yield by_horizon(
        "high_load_baseline_probability",
        "How often high load followed within the horizon in the training data, the model aside.",
        [p.baseline_probability for p in predictions],
    )
    yield by_horizon(
        "high_load_warning", "Whether the probability is a warning.", [is_warning(p) for p in predictions]
    )
    yield by_horizon(
        "high_load_warning_threshold",
        "Probability that a warning needs; less while it stands, 1 never warns.",
        [p.threshold for p in predictions],
    )
    yield labelled(
        "high_load_served_by",
        "1 for what the probability is of: the model, or a baseline that it has fallen behind.",
        ["horizon", "predictor"],
        [
            ((name, predictor), predictor == by)
            for name, by in zip(names, live.forecast.served_by, strict=True)
            for predictor in ("model", *FALLBACK_BASELINES)
        ],
    )
    shares = zip(names, live.forecast.contributions, strict=True)
    yield labelled(
        "high_load_contribution",
        "Share of each metric in the log-odds, against those of the base rate.",
        ["horizon", "metric"],
        [((name, metric), value) for name, share in shares for metric, value in share.items()],
    )
    yield gauge("prediction_timestamp_seconds", "Time of the last prediction.", predictions[0].at)


def _records(overview: Overview) -> Iterator[Metric]:
    runs = CounterMetricFamily(
        "monitor_retrain_runs", "Retrainings by what came of them, over all starts.", labels=["outcome"]
    )
    for outcome, count in overview.runs.items():
        runs.add_metric([outcome], count)
    yield runs
    yield gauge("retrain_running", "Whether a retraining is under way.", overview.retrain_running)
    if overview.last_run:
        yield gauge(
            "retrain_last_attempt_timestamp_seconds", "When the last retraining began.", overview.last_run.started_at
        )
    if overview.last_success:
        yield gauge(
            "retrain_last_success_timestamp_seconds",
            "When a retraining last brought a new model into service.",
            overview.last_success.finished_at,
        )
    if overview.next_retrain_at is not None:
        yield gauge("retrain_next_timestamp_seconds", "When the next retraining is due.", overview.next_retrain_at)
    yield labelled(
        "input_drift",
        "How far the last day has left the training (population stability index; above 0.25: far).",
        ["metric"],
        [((name,), value) for name, value in overview.drift],
    )
    yield gauge("storage_size_bytes", "Size of the database with its log.", overview.storage_bytes)
    if overview.storage_free_bytes is not None:
        yield gauge(
            "storage_free_bytes",
            "Free on the file system of the database, for the daemon's user.",
            overview.storage_free_bytes,
        )
    if overview.oldest_sample_at is not None:
        yield gauge(
            "storage_oldest_sample_timestamp_seconds", "Time of the oldest sample.", overview.oldest_sample_at
        )
    if overview.last_run and overview.last_run.report:
        yield from of_training(overview.last_run.report)


def _jobs(status: DaemonState) -> Iterator[Metric]:
    counted: dict[str, tuple[str, Callable[[Any], int]]] = {
        "job_runs": ("Runs of a job.", lambda job: job.runs),
        "job_failures": ("Runs of a job that raised.", lambda job: job.failures),
        "job_missed": ("Turns of a job that did not happen.", lambda job: job.missed),
    }
    for name, (text, value) in counted.items():
        family = CounterMetricFamily(f"monitor_{name}", text, labels=["job"])
        for job, state in status.jobs.items():
            family.add_metric([job], value(state))
        yield family
    duration = HistogramMetricFamily("monitor_job_duration_seconds", "How long a job took.", labels=["job"])
    delay = HistogramMetricFamily("monitor_job_delay_seconds", "How late a job began after its turn.", labels=["job"])
    for job, state in status.jobs.items():
        duration.add_metric([job], list(state.duration.buckets), state.duration.sum_seconds)
        delay.add_metric([job], list(state.delay.buckets), state.delay.sum_seconds)
    yield duration
    yield delay

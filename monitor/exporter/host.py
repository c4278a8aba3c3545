"""Host metrics: Prometheus families for host figures, sample counters and source states."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from monitor.exporter.family_builders import counter, gauge, labelled_counter, labelled_gauge
from monitor.sampling.metric_catalog import HOST_METRICS
from monitor.state import LiveState
from storage import Sample


def host_metrics(sample: Sample) -> Iterator[Metric]:
    """Yield the newest value of each host metric; missing values are left out."""
    for metric in HOST_METRICS:
        value = getattr(sample, metric.field)
        if value is not None:
            yield gauge(metric.prometheus_name, metric.description, value)


def sampling_metrics(live: LiveState) -> Iterator[Metric]:
    """Yield the numbers of taken and missed samples, the time of the newest, and the state of each source."""
    yield counter("samples", "Number of samples taken since the start of the daemon.", live.samples_total)
    yield counter(
        "samples_missed",
        "Number of samples since the start of the daemon that were due and not taken.",
        live.samples_missed,
    )
    yield gauge(
        "last_sample_timestamp_seconds", "Time of the newest sample, in seconds since the epoch.", live.sample.at
    )
    yield labelled_gauge(
        "source_success",
        "Result of the last read of a source: 1 succeeded, 0 failed.",
        ["source"],
        [((name,), state.success) for name, state in live.sources.items()],
    )
    yield labelled_counter(
        "source_failures",
        "Number of failed or implausible reads of a source since the start of the daemon.",
        "source",
        [(name, state.failures) for name, state in live.sources.items()],
    )
    yield labelled_gauge(
        "source_duration_seconds",
        "Duration of the last read of a source, in seconds.",
        ["source"],
        [((name,), state.duration) for name, state in live.sources.items()],
    )

"""Metrics of the host and of the sampling."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from monitor.exporter.metric_families import counter, gauge, labelled_gauge
from monitor.state import LiveState
from storage import SAMPLE_FIELDS, Sample

HOST_HELP: dict[str, tuple[str, str]] = {
    "cpu_usage": ("ratio", "Busy time of all CPUs, as a ratio; guest time counts once, iowait is not busy."),
    "cpu_iowait": ("ratio", "Time in which CPUs were idle and waited for I/O, as a ratio of all CPUs."),
    "cpu_steal": ("ratio", "CPU time that the hypervisor gave to other guests, as a ratio of all CPUs."),
    "load_per_cpu": ("ratio", "1-minute load average over the number of CPUs, as a ratio; may exceed 1."),
    "memory_usage": ("ratio", "Memory in use, as a ratio: 1 - available / total."),
    "swap_usage": ("ratio", "Swap space in use, as a ratio."),
    "network_receive": ("bytes_per_second", "Bytes received per second over all counted interfaces."),
    "network_transmit": ("bytes_per_second", "Bytes transmitted per second over all counted interfaces."),
    "network_errors": ("per_second", "Errors and dropped packets per second over all counted interfaces."),
    "network_usage": ("ratio", "Busier direction of the busiest interface over its link speed, as a ratio."),
    "disk_read": ("bytes_per_second", "Bytes read per second from all physical disks."),
    "disk_write": ("bytes_per_second", "Bytes written per second to all physical disks."),
    "disk_busy": ("ratio", "Time in which the busiest disk was busy, as a ratio."),
    "pressure_cpu": ("ratio", "Time in which some task waited for a CPU, as a ratio (Linux PSI)."),
    "pressure_memory": ("ratio", "Time in which some task waited for memory, as a ratio (Linux PSI)."),
    "pressure_io": ("ratio", "Time in which some task waited for I/O, as a ratio (Linux PSI)."),
}


def host_metrics(sample: Sample) -> Iterator[Metric]:
    """Yield the newest value of each metric of the host; missing values are left out."""
    for field in SAMPLE_FIELDS:
        unit, description = HOST_HELP[field]
        value = getattr(sample, field)
        if value is not None:
            yield gauge(f"host_{field}_{unit}", description, value)


def sampling_metrics(live: LiveState) -> Iterator[Metric]:
    """Yield the counters of samples, and the state of each source."""
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
    yield labelled_gauge(
        "source_duration_seconds",
        "Duration of the last read of a source, in seconds.",
        ["source"],
        [((name,), state.duration) for name, state in live.sources.items()],
    )

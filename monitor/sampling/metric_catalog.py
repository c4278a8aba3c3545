"""Metric catalogue: one row per host metric, read by every consumer of samples.

The exporter, the trace files, the configuration, the page, the documentation and the dashboards read these rows. The
record `storage.Sample` has one field per row; a test compares both with the database table of samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.system.formatting import format_number, format_quantity


class Unit(StrEnum):
    """Unit of the values of a host metric."""

    RATIO = "ratio"
    PER_CPU = "per_cpu"
    BYTES_PER_SECOND = "bytes_per_second"
    PER_SECOND = "per_second"

    @property
    def suffix(self) -> str:
        """Return the unit suffix of a Prometheus metric name; `PER_CPU` has the suffix `ratio`."""
        return Unit.RATIO.value if self is Unit.PER_CPU else self.value


MAX_LOAD_PER_CPU = 1e5
"""Largest plausible load average per CPU: 100,000 tasks that run or wait."""

MAX_BYTES_PER_SECOND = 1e13
"""Largest plausible byte rate; it exceeds the memory bandwidth of any host."""

MAX_ERRORS_PER_SECOND = 1e10
"""Largest plausible error rate; it exceeds the packet rate of any host."""


@dataclass(frozen=True, slots=True)
class HostMetric:
    """Definition of one host metric.

    Attributes:
        field: field of a sample, and column of a trace file.
        source: name of the source that measures the metric.
        unit: unit of the values.
        label: display name, as written within a sentence.
        description: Prometheus HELP text.
        missing: causes of a missing value, other than a failed source and the first reading after a start or a gap.
        upper_bound: largest valid value. Bounds of rates and loads exceed the values on any host, and only reject
            readings of broken counters.
        lower_bound: smallest valid value; 0 unless the metric may be negative, such as a temperature.
    """

    field: str
    source: str
    unit: Unit
    label: str
    description: str
    missing: str
    upper_bound: float
    lower_bound: float = 0.0

    @property
    def prometheus_name(self) -> str:
        """Return the name of the Prometheus metric, without the prefix `monitor_`."""
        return f"host_{self.field}_{self.unit.suffix}"


HOST_METRICS = (
    HostMetric(
        field="cpu_usage",
        source="cpu",
        unit=Unit.RATIO,
        label="CPU",
        description="Busy time of all CPUs, as a ratio; guest time counts once, iowait is not busy.",
        missing="CPU time does not match the time elapsed on all CPUs, or busy or idle time decreased",
        upper_bound=1.0,
    ),
    HostMetric(
        field="cpu_iowait",
        source="cpu",
        unit=Unit.RATIO,
        label="waiting for disks",
        description="Time in which CPUs were idle and waited for I/O, as a ratio of all CPUs.",
        missing="as `cpu_usage`, or the kernel moved iowait to idle time",
        upper_bound=1.0,
    ),
    HostMetric(
        field="cpu_steal",
        source="cpu",
        unit=Unit.RATIO,
        label="CPU stolen by the hypervisor",
        description="CPU time that the hypervisor gave to other guests, as a ratio of all CPUs.",
        missing="as `cpu_usage`",
        upper_bound=1.0,
    ),
    HostMetric(
        field="load_per_cpu",
        source="load",
        unit=Unit.PER_CPU,
        label="load average per CPU",
        description="1-minute load average over the number of CPUs, as a ratio; may exceed 1.",
        missing="`/proc/loadavg` is malformed",
        upper_bound=MAX_LOAD_PER_CPU,
    ),
    HostMetric(
        field="memory_usage",
        source="memory",
        unit=Unit.RATIO,
        label="memory",
        description="Memory in use, as a ratio: 1 - available / total.",
        missing="`MemAvailable` is absent or exceeds `MemTotal`, or is 0 although memory is free",
        upper_bound=1.0,
    ),
    HostMetric(
        field="swap_usage",
        source="swap",
        unit=Unit.RATIO,
        label="swap",
        description="Swap space in use, as a ratio.",
        missing="there is no swap, or more is free than exists",
        upper_bound=1.0,
    ),
    HostMetric(
        field="network_receive",
        source="network",
        unit=Unit.BYTES_PER_SECOND,
        label="network received",
        description="Bytes received per second over all monitored interfaces.",
        missing="a counter of an interface decreased, is invalid or exceeded 8 times the link speed (or 100 GB/s)",
        upper_bound=MAX_BYTES_PER_SECOND,
    ),
    HostMetric(
        field="network_transmit",
        source="network",
        unit=Unit.BYTES_PER_SECOND,
        label="network sent",
        description="Bytes transmitted per second over all monitored interfaces.",
        missing="as `network_receive`",
        upper_bound=MAX_BYTES_PER_SECOND,
    ),
    HostMetric(
        field="network_errors",
        source="network",
        unit=Unit.PER_SECOND,
        label="network errors",
        description="Errors and dropped packets per second over all monitored interfaces.",
        missing="as `network_receive`",
        upper_bound=MAX_ERRORS_PER_SECOND,
    ),
    HostMetric(
        field="network_usage",
        source="network",
        unit=Unit.RATIO,
        label="network use",
        description="Busier direction of the busiest interface over its link speed, as a ratio.",
        missing="as `network_receive`, or the link speed of every interface is unknown or below 2/3 of its rate",
        upper_bound=1.0,
    ),
    HostMetric(
        field="disk_read",
        source="disk",
        unit=Unit.BYTES_PER_SECOND,
        label="disk reads",
        description="Bytes read per second from all physical disks.",
        missing="a counter of a disk decreased, is invalid or increased by more than 100 GB/s",
        upper_bound=MAX_BYTES_PER_SECOND,
    ),
    HostMetric(
        field="disk_write",
        source="disk",
        unit=Unit.BYTES_PER_SECOND,
        label="disk writes",
        description="Bytes written per second to all physical disks.",
        missing="as `disk_read`",
        upper_bound=MAX_BYTES_PER_SECOND,
    ),
    HostMetric(
        field="disk_busy",
        source="disk",
        unit=Unit.RATIO,
        label="disk use",
        description="Time in which the busiest disk was busy, as a ratio.",
        missing="as `disk_read`",
        upper_bound=1.0,
    ),
    HostMetric(
        field="pressure_cpu",
        source="pressure",
        unit=Unit.RATIO,
        label="CPU pressure",
        description="Time in which some task waited for a CPU, as a ratio (Linux PSI).",
        missing="the kernel has no PSI, or the counter decreased or exceeded 1.5 times the time elapsed",
        upper_bound=1.0,
    ),
    HostMetric(
        field="pressure_memory",
        source="pressure",
        unit=Unit.RATIO,
        label="memory pressure",
        description="Time in which some task waited for memory, as a ratio (Linux PSI).",
        missing="as `pressure_cpu`",
        upper_bound=1.0,
    ),
    HostMetric(
        field="pressure_io",
        source="pressure",
        unit=Unit.RATIO,
        label="I/O pressure",
        description="Time in which some task waited for I/O, as a ratio (Linux PSI).",
        missing="as `pressure_cpu`",
        upper_bound=1.0,
    ),
)
"""All host metrics, in the order of the fields of a sample."""

METRIC_BY_FIELD = {metric.field: metric for metric in HOST_METRICS}

RATIO_FIELDS = frozenset(metric.field for metric in HOST_METRICS if metric.upper_bound == 1)
"""Fields whose values lie between 0 and 1."""


def format_value(field: str, value: float | None) -> str:
    """Return the value of a host metric with its unit; a plain number if a newer release has stored the field."""
    metric = METRIC_BY_FIELD.get(field)
    return format_number(value) if metric is None else format_quantity(value, metric.unit)


def fields_of_source(source: str) -> tuple[str, ...]:
    """Return the sample fields that the source named `source` measures."""
    return tuple(metric.field for metric in HOST_METRICS if metric.source == source)

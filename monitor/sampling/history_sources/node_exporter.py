"""node_exporter mapping: PromQL expressions of the fields, with the definitions of the live sources.

Every expression yields at most one series. Counters become rates over a window of one step and one scrape interval:
such a window has the increases of exactly one step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.sampling.sources.base import MAX_TIME_RATIO
from monitor.sampling.sources.interfaces import UNKNOWN_SPEEDS
from monitor.sampling.sources.network import MAX_USAGE
from monitor.sampling.sources.pressure import RESOURCES

ANCHORS = ("node_load1", "node_memory_MemTotal_bytes", "node_memory_MemAvailable_bytes")
"""Metrics with one series per host, in order of preference; their samples show when the host was scraped."""

INTERFACE_METRIC = "node_network_receive_bytes_total"
DISK_METRIC = "node_disk_io_time_seconds_total"
"""Metrics whose label `device` lists the interfaces and the disks."""

ERROR_METRICS = tuple(
    f"node_network_{direction}_{kind}_total" for kind in ("errs", "drop") for direction in ("receive", "transmit")
)

REQUIRED_METRICS: dict[str, tuple[str, ...]] = {
    "cpu_usage": ("node_cpu_seconds_total",),
    "cpu_iowait": ("node_cpu_seconds_total",),
    "cpu_steal": ("node_cpu_seconds_total",),
    "load_per_cpu": ("node_load1", "node_cpu_seconds_total"),
    "memory_usage": ("node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes"),
    "swap_usage": ("node_memory_SwapFree_bytes", "node_memory_SwapTotal_bytes"),
    "network_receive": (INTERFACE_METRIC,),
    "network_transmit": ("node_network_transmit_bytes_total",),
    "network_errors": ERROR_METRICS,
    "network_usage": (INTERFACE_METRIC, "node_network_transmit_bytes_total", "node_network_speed_bytes"),
    "disk_read": ("node_disk_read_bytes_total",),
    "disk_write": ("node_disk_written_bytes_total",),
    "disk_busy": (DISK_METRIC,),
    **{f"pressure_{resource}": (f"node_pressure_{resource}_waiting_seconds_total",) for resource in RESOURCES},
}
"""Metrics of node_exporter that each field needs."""

BYTES_PER_MEGABIT = 125_000


@dataclass(frozen=True)
class NodeExporter:
    """Series of one host, and the window of its rates.

    Attributes:
        matchers: label matchers that select the host, without braces.
        interfaces: names of the counted network interfaces.
        disks: names of the physical disks.
        window: seconds over which a rate is computed.
    """

    matchers: str
    interfaces: frozenset[str]
    disks: frozenset[str]
    window: int

    def expressions(self) -> dict[str, str]:
        """Return the PromQL expression for each field."""
        interfaces = name_matcher("device", self.interfaces)
        disks = name_matcher("device", self.disks)
        busy = self._rate(DISK_METRIC, disks)
        return {
            **self._cpu_expressions(),
            "memory_usage": self._used("node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes"),
            "swap_usage": self._used("node_memory_SwapFree_bytes", "node_memory_SwapTotal_bytes"),
            "network_receive": self._total_rate(INTERFACE_METRIC, interfaces),
            "network_transmit": self._total_rate("node_network_transmit_bytes_total", interfaces),
            "network_errors": " + ".join(self._total_rate(metric, interfaces) for metric in ERROR_METRICS),
            "network_usage": self._network_usage(interfaces),
            "disk_read": self._total_rate("node_disk_read_bytes_total", disks),
            "disk_write": self._total_rate("node_disk_written_bytes_total", disks),
            # Linux may add the busy time of a long operation at its end.
            "disk_busy": f"clamp_max(max({busy}), 1)",
            **{f"pressure_{resource}": self._pressure(resource) for resource in RESOURCES},
        }

    def _cpu_expressions(self) -> dict[str, str]:
        metric = "node_cpu_seconds_total"
        # /proc/stat counts guest time in user and nice as well.
        total = self._total_rate(metric, 'mode!~"guest|guest_nice"')
        idle = self._total_rate(metric, 'mode=~"idle|iowait"')
        iowait = self._total_rate(metric, 'mode="iowait"')
        steal = self._total_rate(metric, 'mode="steal"')
        cpus = self._last(metric, 'mode="idle"')
        return {
            "cpu_usage": f"1 - {idle} / {total}",
            "cpu_iowait": f"{iowait} / {total}",
            "cpu_steal": f"{steal} / {total}",
            "load_per_cpu": f"max({self._last('node_load1')}) / count(count by (cpu) ({cpus}))",
        }

    def _total_rate(self, metric: str, matcher: str) -> str:
        return f"sum({self._rate(metric, matcher)})"

    def _rate(self, metric: str, *matchers: str) -> str:
        return f"rate({series(metric, *matchers, self.matchers)}[{self.window}s])"

    def _last(self, metric: str, *matchers: str) -> str:
        """Return the newest value in the window, so that a value does not outlive its host by five minutes."""
        return f"last_over_time({series(metric, *matchers, self.matchers)}[{self.window}s])"

    def _used(self, free: str, total: str) -> str:
        return f"1 - max({self._last(free)}) / (max({self._last(total)}) > 0)"

    def _pressure(self, resource: str) -> str:
        rate = self._rate(f"node_pressure_{resource}_waiting_seconds_total")
        # Counter and clock are not read at the same time: a rate may exceed 1 slightly.
        return f"clamp_max(max({rate}) <= {MAX_TIME_RATIO}, 1)"

    def _network_usage(self, interfaces: str) -> str:
        unknown = "".join(f" != {speed * BYTES_PER_MEGABIT}" for speed in sorted(UNKNOWN_SPEEDS))
        speed = f"(max by (device) ({self._last('node_network_speed_bytes', interfaces)}) > 0{unknown})"
        receive = f"sum by (device) ({self._rate(INTERFACE_METRIC, interfaces)})"
        transmit = f"sum by (device) ({self._rate('node_network_transmit_bytes_total', interfaces)})"
        # `or` keeps both directions only if their labels differ.
        busier = f'max by (device) ({receive} or label_replace({transmit}, "direction", "transmit", "", ""))'
        return f"clamp_max(max({busier} / {speed} < {MAX_USAGE}), 1)"


def series(metric: str, *matchers: str) -> str:
    """Return the selector of a metric with all label matchers that are not empty."""
    return f"{metric}{{{','.join(filter(None, matchers))}}}"


def name_matcher(label: str, names: Iterable[str]) -> str:
    """Return the label matcher that accepts exactly the given values of a label."""
    pattern = "|".join(re.escape(name) for name in sorted(names))
    escaped = pattern.replace("\\", "\\\\").replace('"', '\\"')
    return f'{label}=~"{escaped}"'

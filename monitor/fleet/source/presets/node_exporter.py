"""Preset node_exporter: definitions of the live sources, for all hosts at once."""

from __future__ import annotations

from monitor.fleet.source.presets.promql import HostQueries
from monitor.sampling.history_sources.node_exporter import (
    BYTES_PER_MEGABIT,
    DISK_METRIC,
    ERROR_METRICS,
    INTERFACE_METRIC,
)
from monitor.sampling.sources.base import MAX_TIME_RATIO
from monitor.sampling.sources.interfaces import UNKNOWN_SPEEDS
from monitor.sampling.sources.network import MAX_USAGE
from monitor.sampling.sources.pressure import RESOURCES

CPU_METRIC = "node_cpu_seconds_total"
TRANSMIT_METRIC = "node_network_transmit_bytes_total"


def node_exporter(queries: HostQueries) -> dict[str, str]:
    """Return the expression for each field."""
    targets = {
        **_cpu_expressions(queries),
        "memory_usage": _used(queries, "node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes"),
        "swap_usage": _used(queries, "node_memory_SwapFree_bytes", "node_memory_SwapTotal_bytes"),
        **_network_expressions(queries),
        **_disk_expressions(queries),
        **{f"pressure_{resource}": _pressure(queries, resource) for resource in RESOURCES},
    }
    return {field: queries.by_host(expression) for field, expression in targets.items()}


def _cpu_expressions(queries: HostQueries) -> dict[str, str]:
    def seconds(matcher: str) -> str:
        return queries.total(queries.rate(CPU_METRIC, matcher), "cpu", "mode")

    # /proc/stat counts guest time in user and nice as well.
    total = seconds('mode!~"guest|guest_nice"')
    idle = seconds('mode=~"idle|iowait"')
    iowait = seconds('mode="iowait"')
    steal = seconds('mode="steal"')
    per_cpu = queries.last(CPU_METRIC, 'mode="idle"')
    return {
        "cpu_usage": f"1 - {idle} / {total}",
        "cpu_iowait": f"{iowait} / {total}",
        "cpu_steal": f"{steal} / {total}",
        "load_per_cpu": f"{queries.last('node_load1')} / count without (cpu, mode) ({per_cpu})",
    }


def _network_expressions(queries: HostQueries) -> dict[str, str]:
    interfaces = queries.interfaces("device")

    def total(metric: str) -> str:
        return queries.total(queries.rate(metric, interfaces), "device")

    return {
        "network_receive": total(INTERFACE_METRIC),
        "network_transmit": total(TRANSMIT_METRIC),
        "network_errors": " + ".join(map(total, ERROR_METRICS)),
        "network_usage": _network_usage(queries, interfaces),
    }


def _network_usage(queries: HostQueries, interfaces: str) -> str:
    unknown = "".join(f" != {speed * BYTES_PER_MEGABIT}" for speed in sorted(UNKNOWN_SPEEDS))
    speed = f"({queries.last('node_network_speed_bytes', interfaces)} > 0{unknown})"
    receive = queries.rate(INTERFACE_METRIC, interfaces)
    transmit = queries.rate(TRANSMIT_METRIC, interfaces)
    # `or` keeps both directions only if their labels differ.
    both = f'{receive} or label_replace({transmit}, "direction", "transmit", "", "")'
    busier = f"max without (direction) ({both})"
    return f"clamp_max({busier} / {speed} < {MAX_USAGE}, 1)"


def _disk_expressions(queries: HostQueries) -> dict[str, str]:
    disks = queries.disks("device")

    def total(metric: str) -> str:
        return queries.disk_total(queries.rate(metric, disks), "device")

    return {
        "disk_read": total("node_disk_read_bytes_total"),
        "disk_write": total("node_disk_written_bytes_total"),
        # Linux may add the busy time of a long operation at its end.
        "disk_busy": f"clamp_max({queries.rate(DISK_METRIC, disks)}, 1)",
    }


def _used(queries: HostQueries, free: str, total: str) -> str:
    return f"1 - {queries.last(free)} / ({queries.last(total)} > 0)"


def _pressure(queries: HostQueries, resource: str) -> str:
    rate = queries.rate(f"node_pressure_{resource}_waiting_seconds_total")
    # Counter and clock are not read at the same time: a rate may exceed 1 slightly.
    return f"clamp_max({rate} <= {MAX_TIME_RATIO}, 1)"

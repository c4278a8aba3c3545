"""Preset windows_exporter: metrics of the default collectors of releases from 0.16 on.

Windows has no load average, no iowait, no steal and no pressure stall information. Releases from 0.30 on have other
names for total memory and page files.
"""

from __future__ import annotations

from monitor.fleet.source.presets.promql import HostQueries

NICS = 'nic!~"(?i).*(loopback|isatap|teredo|6to4|vethernet).*"'
"""Matcher that excludes tunnels and virtual switches."""

VOLUMES = 'volume!="_Total"'

ERROR_METRICS = tuple(
    f"windows_net_packets_{direction}_{kind}_total"
    for kind in ("errors", "discarded")
    for direction in ("received", "outbound")
)


def windows_exporter(queries: HostQueries) -> dict[str, str]:
    """Return the expression for each field that Windows has."""

    def seconds(matcher: str) -> str:
        return queries.total(queries.rate("windows_cpu_time_total", matcher), "core", "mode")

    def network(metric: str) -> str:
        return queries.total(queries.rate(metric, NICS), "nic")

    def disk(metric: str) -> str:
        return queries.total(queries.rate(metric, VOLUMES), "volume")

    # The privileged mode includes the modes dpc and interrupt.
    total = seconds('mode=~"idle|privileged|user"')
    idle = seconds('mode="idle"')
    idle_disk = queries.rate("windows_logical_disk_idle_seconds_total", VOLUMES)
    targets = {
        "cpu_usage": f"1 - {idle} / {total}",
        "memory_usage": _memory_usage(queries),
        "swap_usage": _swap_usage(queries),
        "network_receive": network("windows_net_bytes_received_total"),
        "network_transmit": network("windows_net_bytes_sent_total"),
        "network_errors": " + ".join(map(network, ERROR_METRICS)),
        "network_usage": _network_usage(queries),
        "disk_read": disk("windows_logical_disk_read_bytes_total"),
        "disk_write": disk("windows_logical_disk_write_bytes_total"),
        "disk_busy": f"clamp_min(1 - {idle_disk}, 0)",
    }
    return {field: queries.by_host(expression) for field, expression in targets.items()}


def _memory_usage(queries: HostQueries) -> str:
    current = queries.last("windows_memory_physical_total_bytes")
    earlier = queries.last("windows_cs_physical_memory_bytes")
    available = queries.last("windows_memory_available_bytes")
    # The collector `memory` is not a default of earlier releases.
    free = queries.last("windows_os_physical_memory_free_bytes")
    return f"1 - ({available} or {free}) / (({current} or {earlier}) > 0)"


def _swap_usage(queries: HostQueries) -> str:
    def bytes_of(kind: str) -> str:
        files = queries.total(queries.last(f"windows_pagefile_{kind}_bytes"), "file")
        return f"({files} or {queries.last(f'windows_os_paging_{kind}_bytes')})"

    return f"1 - {bytes_of('free')} / ({bytes_of('limit')} > 0)"


def _network_usage(queries: HostQueries) -> str:
    receive = queries.rate("windows_net_bytes_received_total", NICS)
    transmit = queries.rate("windows_net_bytes_sent_total", NICS)
    speed = queries.last("windows_net_current_bandwidth_bytes", NICS)
    # `or` keeps both directions only if their labels differ.
    both = f'{receive} or label_replace({transmit}, "direction", "transmit", "", "")'
    return f"clamp_max(max without (direction) ({both}) / ({speed} > 0), 1)"

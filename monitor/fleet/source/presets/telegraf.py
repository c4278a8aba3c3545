"""Preset telegraf: metrics of its system plugins on Linux hosts.

The plugins are cpu, system, mem, swap, net, diskio and kernel. The plugin net reports no link speed. The plugin
kernel reports pressure with `collect = ["psi"]`.
"""

from __future__ import annotations

from monitor.fleet.source.presets.promql import HostQueries
from monitor.sampling.sources.base import MAX_TIME_RATIO
from monitor.sampling.sources.pressure import RESOURCES

ALL_CPUS = 'cpu="cpu-total"'

PROTOCOLS = 'interface!="all"'
"""Matcher that excludes the statistics of protocols."""

DISK_TAGS = ("serial", "wwid")
"""Tags of disks next to their name."""

ERROR_METRICS = ("net_err_in", "net_err_out", "net_drop_in", "net_drop_out")

MICROSECONDS = "1e6"
MILLISECONDS = "1e3"


def telegraf(queries: HostQueries) -> dict[str, str]:
    """Return the expression for each field."""
    interfaces = f"{queries.interfaces('interface')},{PROTOCOLS}"
    disks = queries.disks("name")

    def percent(metric: str, *matchers: str) -> str:
        return f"{queries.last(metric, *matchers)} / 100"

    def network(metric: str) -> str:
        return queries.total(queries.rate(metric, interfaces), "interface")

    def disk(metric: str) -> str:
        return queries.disk_total(queries.rate(metric, disks), "name", *DISK_TAGS)

    idle = percent("cpu_usage_idle", ALL_CPUS)
    iowait = percent("cpu_usage_iowait", ALL_CPUS)
    busy = f"{queries.rate('diskio_io_time', disks)} / {MILLISECONDS}"
    targets = {
        "cpu_usage": f"1 - {idle} - {iowait}",
        "cpu_iowait": iowait,
        "cpu_steal": percent("cpu_usage_steal", ALL_CPUS),
        "load_per_cpu": f"{queries.last('system_load1')} / ({queries.last('system_n_cpus')} > 0)",
        "memory_usage": f"1 - {percent('mem_available_percent')}",
        "swap_usage": f"{percent('swap_used_percent')} and {queries.last('swap_total')} > 0",
        "network_receive": network("net_bytes_recv"),
        "network_transmit": network("net_bytes_sent"),
        "network_errors": " + ".join(map(network, ERROR_METRICS)),
        "disk_read": disk("diskio_read_bytes"),
        "disk_write": disk("diskio_write_bytes"),
        # Linux may add the busy time of a long operation at its end.
        "disk_busy": f"clamp_max({busy}, 1)",
        **{f"pressure_{resource}": _pressure(queries, resource) for resource in RESOURCES},
    }
    return {field: queries.by_host(expression) for field, expression in targets.items()}


def _pressure(queries: HostQueries, resource: str) -> str:
    rate = queries.rate("pressure_total", f'resource="{resource}"', 'type="some"')
    # Counter and clock are not read at the same time: a rate may exceed 1 slightly.
    return f"clamp_max({rate} / {MICROSECONDS} <= {MAX_TIME_RATIO}, 1)"

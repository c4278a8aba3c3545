"""Host metric panels of the host dashboard."""

from __future__ import annotations

import json
from collections.abc import Sequence

from dashboards.panels import ABSENT, ORANGE, RATIO, Json, Query, metric, override, threshold_steps, time_series
from monitor.sampling.metric_catalog import HOST_METRICS, Unit

GRAFANA_UNITS = {
    Unit.RATIO: "percentunit",
    Unit.PER_CPU: "none",
    Unit.BYTES_PER_SECOND: "Bps",
    Unit.PER_SECOND: "cps",
}


def host_metrics(overview: Sequence[Json]) -> list[Json]:
    """Return a panel for each metric of the host that the overview panels leave out, related metrics together."""
    panels = [
        time_series(
            "CPU",
            "Shares of CPU time: busy, I/O wait, and stolen by the hypervisor. " + ABSENT,
            [
                Query(metric("host_cpu_usage_ratio") + " - " + metric("host_cpu_steal_ratio"), "busy"),
                Query(metric("host_cpu_iowait_ratio"), "I/O wait"),
                Query(metric("host_cpu_steal_ratio"), "stolen"),
            ],
            "percentunit",
            stack="normal",
            **RATIO,
        ),
        time_series(
            "Load per CPU",
            "1-minute load average over the number of CPUs. " + ABSENT,
            [Query(metric("host_load_per_cpu_ratio"), "load per CPU")],
            "none",
            min=0,
            thresholds=threshold_steps("transparent", (1, ORANGE)),
            reach=1.1,
        ),
        time_series(
            "Pressure",
            "Share of time in which some task waited for CPU, memory or I/O (Linux PSI). " + ABSENT,
            [
                Query(metric("host_pressure_cpu_ratio"), "CPU"),
                Query(metric("host_pressure_memory_ratio"), "memory"),
                Query(metric("host_pressure_io_ratio"), "I/O"),
            ],
            "percentunit",
            min=0,
        ),
        time_series(
            "Memory and swap",
            "Shares of unavailable memory and of used swap space. " + ABSENT,
            [Query(metric("host_memory_usage_ratio"), "memory"), Query(metric("host_swap_usage_ratio"), "swap")],
            "percentunit",
            **RATIO,
        ),
        time_series(
            "Disk throughput",
            "Bytes read from all physical disks, and written (negative). " + ABSENT,
            [
                Query(metric("host_disk_read_bytes_per_second"), "read"),
                Query(metric("host_disk_write_bytes_per_second"), "written"),
            ],
            "Bps",
            fill=10,
            overrides=[override("written", custom__transform="negative-Y")],
        ),
        time_series(
            "Busiest disk",
            "Share of time in which the busiest disk was busy. " + ABSENT,
            [Query(metric("host_disk_busy_ratio"), "busy")],
            "percentunit",
            **RATIO,
        ),
        time_series(
            "Network throughput",
            "Bytes received over all monitored interfaces, and transmitted (negative). " + ABSENT,
            [
                Query(metric("host_network_receive_bytes_per_second"), "received"),
                Query(metric("host_network_transmit_bytes_per_second"), "transmitted"),
            ],
            "Bps",
            fill=10,
            overrides=[override("transmitted", custom__transform="negative-Y")],
        ),
        time_series(
            "Busiest interface",
            "Busier direction of the busiest interface over its link speed. " + ABSENT,
            [Query(metric("host_network_usage_ratio"), "in use")],
            "percentunit",
            **RATIO,
        ),
        time_series(
            "Network errors",
            "Errors and drops over all monitored interfaces. " + ABSENT,
            [Query(metric("host_network_errors_per_second"), "errors and drops")],
            "cps",
            min=0,
        ),
    ]
    return panels + _remaining_metrics([*overview, *panels])


def _remaining_metrics(panels: Sequence[Json]) -> list[Json]:
    """Return a panel for each metric of the catalogue that none of `panels` shows."""
    shown = json.dumps(panels)
    return [
        time_series(
            row.label[:1].upper() + row.label[1:],
            f"{row.description} {ABSENT}",
            [Query(metric(row.prometheus_name), row.label)],
            GRAFANA_UNITS[row.unit],
            min=0,
        )
        for row in HOST_METRICS
        if f"monitor_{row.prometheus_name}{{" not in shown
    ]

"""Presets of a fleet on real servers: every field has the value that follows from the series of its exporter."""

import time

import numpy as np
import pytest

from monitor.config.loader import read_config
from monitor.fleet.source.factory import create_source
from monitor.sampling.metric_catalog import HOST_METRICS
from tests.integration.metric_servers import STEP, create_blocks, exposition, fetch, prometheus, victoria_metrics

pytestmark = pytest.mark.integration

NOW = int(time.time()) // STEP * STEP
TIMES = [NOW - 7200 + 7 + STEP * row for row in range(60)]
AT = float(TIMES[20] // STEP * STEP)

WINDOWS_COUNTERS = {
    'windows_cpu_time_total{core="0,0",mode="idle"}': 0.5,
    'windows_cpu_time_total{core="0,0",mode="user"}': 0.3,
    'windows_cpu_time_total{core="0,0",mode="privileged"}': 0.2,
    'windows_cpu_time_total{core="0,0",mode="dpc"}': 0.1,
    'windows_cpu_time_total{core="0,1",mode="idle"}': 1.0,
    'windows_net_bytes_received_total{nic="Ethernet"}': 1e6,
    'windows_net_bytes_received_total{nic="vEthernet (WSL)"}': 5e7,
    'windows_net_bytes_received_total{nic="Teredo Tunneling"}': 5e7,
    'windows_net_bytes_sent_total{nic="Ethernet"}': 2.5e7,
    'windows_net_packets_received_errors_total{nic="Ethernet"}': 1,
    'windows_net_packets_received_discarded_total{nic="Ethernet"}': 2,
    'windows_net_packets_outbound_errors_total{nic="Ethernet"}': 3,
    'windows_net_packets_outbound_discarded_total{nic="Ethernet"}': 4,
    'windows_logical_disk_read_bytes_total{volume="C:"}': 3e6,
    'windows_logical_disk_read_bytes_total{volume="D:"}': 1e6,
    'windows_logical_disk_read_bytes_total{volume="_Total"}': 4e6,
    'windows_logical_disk_write_bytes_total{volume="C:"}': 5e6,
    'windows_logical_disk_idle_seconds_total{volume="C:"}': 0.75,
    'windows_logical_disk_idle_seconds_total{volume="D:"}': 1.0,
}
WINDOWS_GAUGES = {
    "windows_memory_available_bytes": 6e9,
    "windows_memory_physical_total_bytes": 8e9,
    'windows_pagefile_free_bytes{file="C:"}': 75e7,
    'windows_pagefile_limit_bytes{file="C:"}': 1e9,
    'windows_net_current_bandwidth_bytes{nic="Ethernet"}': 125e6,
}
EARLIER_WINDOWS_GAUGES = {
    "windows_os_physical_memory_free_bytes": 6e9,
    "windows_cs_physical_memory_bytes": 8e9,
    "windows_os_paging_free_bytes": 75e7,
    "windows_os_paging_limit_bytes": 1e9,
    'windows_net_current_bandwidth_bytes{nic="Ethernet"}': 125e6,
}
WINDOWS_VALUES = {
    "cpu_usage": 0.25, "memory_usage": 0.25, "swap_usage": 0.25, "network_receive": 1e6, "network_transmit": 2.5e7,
    "network_errors": 10.0, "network_usage": 0.2, "disk_read": 4e6, "disk_write": 5e6, "disk_busy": 0.25,
}  # fmt: skip

TELEGRAF_COUNTERS = {
    'net_bytes_recv{interface="eth0"}': 1e6,
    'net_bytes_recv{interface="docker0"}': 5e7,
    'net_bytes_sent{interface="eth0"}': 2e6,
    'net_err_in{interface="eth0"}': 1,
    'net_err_out{interface="eth0"}': 2,
    'net_drop_in{interface="eth0"}': 3,
    'net_drop_out{interface="eth0"}': 4,
    'diskio_read_bytes{name="sda",serial="x"}': 3e6,
    'diskio_read_bytes{name="sda1"}': 3e6,
    'diskio_read_bytes{name="nvme0n1",serial="y"}': 1e6,
    'diskio_read_bytes{name="nvme0c0n1"}': 1e6,
    'diskio_write_bytes{name="sda",serial="x"}': 5e6,
    'diskio_io_time{name="sda",serial="x"}': 125,
    'diskio_io_time{name="nvme0n1",serial="y"}': 250,
    'pressure_total{resource="cpu",type="some"}': 4e5,
    'pressure_total{resource="memory",type="some"}': 2e4,
    'pressure_total{resource="memory",type="full"}': 1e4,
    'pressure_total{resource="io",type="some"}': 1.01e6,
}
TELEGRAF_GAUGES = {
    'cpu_usage_idle{cpu="cpu-total"}': 45.0,
    'cpu_usage_idle{cpu="cpu0"}': 5.0,
    'cpu_usage_iowait{cpu="cpu-total"}': 5.0,
    'cpu_usage_steal{cpu="cpu-total"}': 0.5,
    "system_load1": 3.0,
    "system_n_cpus": 2.0,
    "mem_available_percent": 75.0,
    "swap_used_percent": 25.0,
    "swap_total": 1e9,
}
TELEGRAF_VALUES = {
    "cpu_usage": 0.5, "cpu_iowait": 0.05, "cpu_steal": 0.005, "load_per_cpu": 1.5, "memory_usage": 0.25,
    "swap_usage": 0.25, "network_receive": 1e6, "network_transmit": 2e6, "network_errors": 10.0, "disk_read": 4e6,
    "disk_write": 5e6, "disk_busy": 0.25, "pressure_cpu": 0.4, "pressure_memory": 0.02, "pressure_io": 1.0,
}  # fmt: skip

OWN_VALUES = {metric.field: 0.25 for metric in HOST_METRICS}
OWN_GAUGES = {f"monitor_{metric.prometheus_name}": 0.25 for metric in HOST_METRICS}

CASES = {
    "windows_exporter": (WINDOWS_COUNTERS, WINDOWS_GAUGES, WINDOWS_VALUES),
    "windows_exporter before 0.30": (WINDOWS_COUNTERS, EARLIER_WINDOWS_GAUGES, WINDOWS_VALUES),
    "telegraf": (TELEGRAF_COUNTERS, TELEGRAF_GAUGES, TELEGRAF_VALUES),
    "monitor": ({}, OWN_GAUGES, OWN_VALUES),
}


@pytest.fixture(scope="module")
def prometheus_url(tmp_path_factory):
    directory = tmp_path_factory.mktemp("prometheus")
    for job, (counters, gauges, _) in CASES.items():
        create_blocks(directory, "host1", TIMES, job=job, counters=counters, gauges=gauges)
    with prometheus(directory) as url:
        yield url


@pytest.fixture(scope="module")
def victoria_metrics_url(tmp_path_factory):
    with victoria_metrics(tmp_path_factory.mktemp("victoria"), {}) as url:
        for job, (counters, gauges, _) in CASES.items():
            text = exposition("host1", TIMES, milliseconds=True, job=job, counters=counters, gauges=gauges)
            fetch(f"{url}/api/v1/import/prometheus", text.encode())
        fetch(f"{url}/internal/force_flush")
        yield url


@pytest.mark.parametrize("server", ["prometheus_url", "victoria_metrics_url"])
@pytest.mark.parametrize("case", CASES)
def test_preset_has_the_values_of_its_exporter(request, server, case):
    url = request.getfixturevalue(server)
    keys = {"kind": "prometheus", "url": url, "preset": case.split()[0], "selector": f'{{job="{case}"}}'}
    config, problems = read_config({"source": keys})
    assert problems == []
    source = create_source(config)
    sample = source.read(AT)
    expected = CASES[case][2]
    assert (source.columns, sample.hosts, source.statistics.errors) == (tuple(expected), ("host1",), {})
    np.testing.assert_allclose(sample.values, [list(expected.values())], rtol=1e-6)

"""Real servers with the Prometheus API, filled with synthetic node_exporter series."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

STEP = 60
"""Seconds between two scrapes of the synthetic series."""

PACKAGES = {
    "promtool": "prometheus",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "sadf": "sysstat",
}

COUNTERS = {
    'node_cpu_seconds_total{cpu="0",mode="user"}': 0.30,
    'node_cpu_seconds_total{cpu="0",mode="nice"}': 0.05,
    'node_cpu_seconds_total{cpu="0",mode="system"}': 0.04,
    'node_cpu_seconds_total{cpu="0",mode="steal"}': 0.01,
    'node_cpu_seconds_total{cpu="0",mode="iowait"}': 0.10,
    'node_cpu_seconds_total{cpu="0",mode="idle"}': 0.50,
    'node_cpu_seconds_total{cpu="1",mode="user"}': 0.60,
    'node_cpu_seconds_total{cpu="1",mode="idle"}': 0.40,
    'node_cpu_guest_seconds_total{cpu="0",mode="user"}': 0.25,
    'node_network_receive_bytes_total{device="eth0"}': 1e6,
    'node_network_receive_bytes_total{device="docker0"}': 5e7,
    'node_network_receive_bytes_total{device="lo"}': 5e7,
    'node_network_receive_bytes_total{device="eth0.100"}': 1e6,
    'node_network_receive_bytes_total{device="eth1"}': 2e6,
    'node_network_transmit_bytes_total{device="eth0"}': 2.5e7,
    'node_network_transmit_bytes_total{device="eth1"}': 1e6,
    'node_network_receive_errs_total{device="eth0"}': 1,
    'node_network_receive_drop_total{device="eth0"}': 2,
    'node_network_transmit_errs_total{device="eth0"}': 3,
    'node_network_transmit_drop_total{device="eth0"}': 4,
    'node_disk_read_bytes_total{device="sda"}': 3e6,
    'node_disk_read_bytes_total{device="sda1"}': 3e6,
    'node_disk_read_bytes_total{device="dm-0"}': 3e6,
    'node_disk_read_bytes_total{device="nvme0n1"}': 1e6,
    'node_disk_written_bytes_total{device="sda"}': 5e6,
    'node_disk_io_time_seconds_total{device="sda"}': 0.125,
    'node_disk_io_time_seconds_total{device="nvme0n1"}': 0.25,
    'node_disk_io_time_seconds_total{device="dm-0"}': 0.75,
    "node_pressure_cpu_waiting_seconds_total": 0.4,
    "node_pressure_memory_waiting_seconds_total": 0.02,
    "node_pressure_io_waiting_seconds_total": 1.01,
}
"""Increase per second of each counter."""

GAUGES = {
    "node_load1": 3.0,
    "node_memory_MemTotal_bytes": 8e9,
    "node_memory_MemAvailable_bytes": 6e9,
    "node_memory_SwapTotal_bytes": 1e9,
    "node_memory_SwapFree_bytes": 75e7,
    'node_network_speed_bytes{device="eth0"}': 125e6,
    'node_network_speed_bytes{device="eth1"}': -125000.0,
}

VALUES = {
    "cpu_usage": 0.5, "cpu_iowait": 0.05, "cpu_steal": 0.005, "load_per_cpu": 1.5, "memory_usage": 0.25,
    "swap_usage": 0.25, "network_receive": 3e6, "network_transmit": 2.6e7, "network_errors": 10.0,
    "network_usage": 0.2, "disk_read": 4e6, "disk_write": 5e6, "disk_busy": 0.25,
    "pressure_cpu": 0.4, "pressure_memory": 0.02, "pressure_io": 1.0,
}  # fmt: skip
"""Values of the fields that follow from COUNTERS and GAUGES."""


def need(*tools):
    """Skip without a tool; in CI, fail."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        packages = " ".join(sorted({PACKAGES.get(tool, tool) for tool in missing}))
        message = f"NOT TESTED: {', '.join(missing)} not installed (apt-get install {packages})"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


def exposition(instance, times, *, milliseconds, job="node", counters=COUNTERS, gauges=GAUGES):
    """Return the series of one host, one group per metric; the counters start again after half of the times."""
    lines = []
    rates = {**counters, **dict.fromkeys(gauges)}
    reset = times[len(times) // 2]
    for name in dict.fromkeys(key.partition("{")[0] for key in rates):
        kind = "gauge" if name in {key.partition("{")[0] for key in gauges} else "counter"
        lines.append(f"# TYPE {name.removesuffix('_total')} {kind}")
        for key, rate in rates.items():
            if key.partition("{")[0] != name:
                continue
            labels = ",".join(filter(None, (f'instance="{instance}",job="{job}"', key[len(name) + 1 : -1])))
            for at in times:
                value = gauges[key] if rate is None else rate * (at - (times[0] if at < reset else reset) + 1000)
                lines.append(f"{name}{{{labels}}} {value:.10g} {at * 1000 if milliseconds else at}")
    return "\n".join(lines) + ("\n" if milliseconds else "\n# EOF\n")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def fetch(url, data=None):
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=10) as response:
        return response.read()


@contextmanager
def running(command, url, log):
    """Run a server until the end of the block; yield when `url` answers."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                fetch(url)
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
                if getattr(error, "code", None) == 401:
                    break
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def create_blocks(directory, instance, times, **series):
    """Add blocks of the series of a host to the data of a Prometheus that is not running."""
    text = directory / "series.txt"
    text.write_text(exposition(instance, times, milliseconds=False, **series))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", text, directory / "data"]
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def running_prometheus(directory, address, options=()):
    """Run Prometheus at an address; yield its process."""
    command = ["prometheus", f"--config.file={directory / 'prometheus.yml'}", f"--web.listen-address={address}"]
    command += [f"--storage.tsdb.path={directory / 'data'}", "--storage.tsdb.retention.time=10y", *options]
    with running(command, f"http://{address}/-/ready", directory / "log") as process:
        yield process


@contextmanager
def prometheus(directory, hosts=None, *, config="", options=()):
    """Run Prometheus with blocks of the series of hosts, (instance, times); yield its URL."""
    need("prometheus", "promtool")
    for instance, times in (hosts or {}).items():
        create_blocks(directory, instance, times)
    (directory / "prometheus.yml").write_text(config)
    address = f"127.0.0.1:{free_port()}"
    with running_prometheus(directory, address, options):
        yield f"http://{address}"


@contextmanager
def victoria_metrics(directory, hosts, *, options=()):
    """Run VictoriaMetrics with the series of hosts; yield its URL."""
    need("victoria-metrics")
    address = f"127.0.0.1:{free_port()}"
    command = ["victoria-metrics", f"-storageDataPath={directory / 'data'}", f"-httpListenAddr={address}", *options]
    with running([*command, "-retentionPeriod=10y"], f"http://{address}/health", directory / "log"):
        for instance, times in hosts.items():
            text = exposition(instance, times, milliseconds=True)
            fetch(f"http://{address}/api/v1/import/prometheus", text.encode())
        fetch(f"http://{address}/internal/force_flush")
        yield f"http://{address}"


@contextmanager
def node_exporter(address, log):
    """Run a node_exporter at an address; yield its process."""
    need("prometheus-node-exporter")
    command = ["prometheus-node-exporter", f"--web.listen-address={address}"]
    with running(command, f"http://{address}/", log) as process:
        yield process

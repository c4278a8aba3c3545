"""JSON of sadf: values, hosts, times and missing sections; integration tests read real output."""

import io
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from monitor.errors import MonitorError
from monitor.sampling.history_sources.json_reader import JsonReader
from monitor.sampling.history_sources.sadf import read_sadf
from monitor.sampling.trace_format.options import TraceOptions
from storage import SAMPLE_FIELDS

pytestmark = pytest.mark.unit

STATISTICS = {
    "cpu-load": [
        {"cpu": "all", "usr": 20.0, "guest": 5.0, "iowait": 4.0, "steal": 1.0, "idle": 70.0},
        {"cpu": "0", "iowait": 50.0, "idle": 0.0},
    ],
    "memory": {"avail": 600, "memused": 300, "memused-percent": 30.0, "swpfree": 75, "swpused": 25},
    "queue": {"ldavg-1": 3.0},
    "disk": [
        {"disk-device": "sda", "rd_sec": 10.0, "wr_sec": 20.0, "rkB": 5.0, "wkB": 10.0, "util-percent": 25.0},
        {"disk-device": "sdb", "rd_sec": 2.0, "wr_sec": 4.0, "rkB": 1.0, "wkB": 2.0, "util-percent": 100.2},
        {"disk-device": "dm-0", "rd_sec": 99.0, "wr_sec": 99.0, "util-percent": 99.0},
    ],
    "network": {
        "net-dev": [
            {"iface": "eth0", "rxkB": 1.5, "txkB": 2.0, "ifutil-percent": 12.5},
            {"iface": "docker0", "rxkB": 50.0, "txkB": 50.0, "ifutil-percent": 90.0},
        ],
        "net-edev": [{"iface": "eth0", "rxerr": 1.0, "txerr": 2.0, "rxdrop": 3.0, "txdrop": 4.0}],
    },
    "psi": {"psi-cpu": {"some_avg": 12.0}, "psi-io": {"some_avg": 1.0}, "psi-mem": {"some_avg": 0.0}},
}
VALUES = {
    "cpu_usage": 0.26, "cpu_iowait": 0.04, "cpu_steal": 0.01, "load_per_cpu": 0.75, "memory_usage": 0.4,
    "swap_usage": 0.25, "network_receive": 1536.0, "network_transmit": 2048.0, "network_errors": 10.0,
    "network_usage": 0.125, "disk_read": 6144.0, "disk_write": 12288.0, "disk_busy": 1.0,
    "pressure_cpu": 0.12, "pressure_memory": 0.0, "pressure_io": 0.01,
}  # fmt: skip


def entry(time="00:10:00", utc=1, **sections):
    return {"timestamp": {"date": "2026-03-01", "time": time, "utc": utc, "interval": 600}, **sections}


def host(*statistics, name="web1", cpus=4, restarts=()):
    return {"nodename": name, "number-of-cpus": cpus, "statistics": list(statistics), "restarts": list(restarts)}


def read(*documents, selected="", zone=None, now=None):
    text = "\n".join(json.dumps({"sysstat": {"hosts": list(hosts)}}) for hosts in documents)
    options = TraceOptions(zone=zone, now=now)
    return read_sadf(JsonReader(Path("x.json"), io.StringIO(text)), options, selected, ["usb*"])


def test_every_field_has_its_value():
    name, rows = read([host(entry(**STATISTICS))])
    assert name == "web1"
    assert rows.times.tolist() == [1772323800.0]
    assert dict(zip(rows.columns, rows.values[0].tolist(), strict=True)) == pytest.approx(VALUES)


def test_days_and_restarts_of_a_host_are_joined():
    boot = {"boot": {"date": "2026-03-01", "time": "00:15:00", "utc": 1}}
    _, rows = read(
        [host(entry("00:10:00", **STATISTICS), restarts=[boot])],
        [host({}, entry("00:30:00", **STATISTICS), cpus=8)],
        [host(entry("00:20:00", **STATISTICS))],
    )
    assert rows.times.tolist() == [1772323800.0, 1772325000.0, 1772324400.0]
    assert rows.values[:, SAMPLE_FIELDS.index("load_per_cpu")].tolist() == [0.75, 0.375, 0.75]
    assert (rows.counts.rows, rows.counts.unordered) == (3, 1)


@pytest.mark.parametrize("section", STATISTICS)
def test_missing_section_yields_missing_values(section):
    rows = read([host(entry(**{key: value for key, value in STATISTICS.items() if key != section}))])[1]
    missing = {field for field, value in zip(rows.columns, rows.values[0], strict=True) if np.isnan(value)}
    assert missing
    assert missing < set(SAMPLE_FIELDS)


def test_row_without_sections_counts_as_without_value():
    assert read([host(entry())])[1].counts.without_value == 1


def test_kilobytes_replace_absent_sectors():
    disks = [{key: value for key, value in disk.items() if "sec" not in key} for disk in STATISTICS["disk"][:2]]
    rows = read([host(entry(disk=disks))])[1]
    assert rows.values[0, SAMPLE_FIELDS.index("disk_read")] == 6 * 1024


def test_network_usage_is_missing_if_no_speed_is_known():
    idle = {**STATISTICS["network"]["net-dev"][0], "ifutil-percent": 0.0}
    rows = read([host(entry(network={"net-dev": [idle]}))])[1]
    assert np.isnan(rows.values[0, SAMPLE_FIELDS.index("network_usage")])
    assert rows.values[0, SAMPLE_FIELDS.index("network_receive")] == 1536.0


def test_several_hosts_need_a_selection():
    hosts = [host(entry(**STATISTICS)), host(entry("00:20:00", **STATISTICS), name="web2")]
    with pytest.raises(MonitorError, match="web1, web2"):
        read(hosts)
    name, rows = read(hosts, selected="web2")
    assert (name, rows.times.tolist()) == ("web2", [1772324400.0])
    with pytest.raises(MonitorError, match="web3"):
        read(hosts, selected="web3")


def test_local_time_needs_a_time_zone():
    hosts = [host(entry(utc=0, **STATISTICS))]
    with pytest.raises(MonitorError, match="--timezone"):
        read(hosts)
    assert read(hosts, zone=ZoneInfo("Europe/Berlin"))[1].times.tolist() == [1772323800.0 - 3600]


def test_impossible_value_is_a_bad_cell():
    rows = read([host(entry(queue={"ldavg-1": -5.0}, **{"cpu-load": STATISTICS["cpu-load"]}))])[1]
    assert [(cell.column, cell.text) for cell in rows.counts.bad_cell_examples] == [("load_per_cpu", "-1.25")]


@pytest.mark.parametrize("time", ["99:99:99", None])
def test_invalid_time_names_the_host(time):
    with pytest.raises(MonitorError, match="web1"):
        read([host(entry(time))])


def test_future_row_is_refused():
    with pytest.raises(MonitorError, match="in the future"):
        read([host(entry(**STATISTICS))], now=1772323000.0)


def test_text_without_hosts_is_refused():
    with pytest.raises(MonitorError, match="sadf -j"):
        read([])

"""Figures from a fixture /proc and /sys, exact to the last digit; what cannot be is missing, never 0."""

from pathlib import Path

import psutil
import pytest

from monitor.sampling.sources import SOURCES, make_sources, procfs
from monitor.sampling.sources.cpu import Cpu
from monitor.sampling.sources.disk import Disk
from monitor.sampling.sources.network import Network
from monitor.sampling.sources.pressure import Pressure
from monitor.sampling.sources.swap import Swap

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[2] / "golden"
SECONDS = 5.0


@pytest.fixture(autouse=True)
def host(monkeypatch):
    """Moves this host to the fixture; call it with "before" or "after"."""
    monkeypatch.setattr(procfs, "SYSFS", GOLDEN / "sys")
    monkeypatch.setattr("os.cpu_count", lambda: 4)

    def move(moment):
        monkeypatch.setattr(psutil, "PROCFS_PATH", str(GOLDEN / "proc" / moment))

    move("before")
    return move


def rates(source, host, *, first=True):
    before = source.read() if first else None
    host("after")
    return source.rates(before, source.read(), SECONDS)


EXPECTED = {
    # of 1000 hundredths: 200 user (80 of them guest) + 10 nice + 90 system + 5 irq + 5 softirq;
    # 640 idle, 40 iowait, 10 steal
    "cpu": {"cpu_usage": 0.32, "cpu_iowait": 0.04, "cpu_steal": 0.01},
    "memory": {"memory_usage": 0.75},
    "swap": {"swap_usage": 0.25},
    "load": {"load_per_cpu": 0.75},
    # eth0 500,000 in, 250,000 out, 10 drops; eth1 10,000 and 5,000; bond0 200,000 and 100,000; over 5 s.
    # eth0's 100,000 bytes/s in are 0.0008 of 1 Gbit/s; eth1 knows no speed
    "network": {
        "network_receive": 142_000.0,
        "network_transmit": 71_000.0,
        "network_errors": 2.0,
        "network_usage": 0.0008,
    },
    # sectors of 512 bytes: sda 2000 in, 10000 out, 3000 ms; sdb 200 in, 500 ms
    "disk": {"disk_read": 2200 * 512 / 5, "disk_write": 10_000 * 512 / 5, "disk_busy": 0.6},
    "pressure": {"pressure_cpu": 0.1, "pressure_memory": 0.0, "pressure_io": 0.25},
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_gives_exactly_what_the_kernel_says(name, host):
    (source,) = make_sources([name])
    assert rates(source, host) == pytest.approx(EXPECTED[name], abs=1e-12)
    assert set(source.fields) == set(EXPECTED[name])


@pytest.mark.parametrize("name", ["cpu", "network", "disk", "pressure"])
def test_without_a_reading_before_there_is_no_rate(name, host):
    (source,) = make_sources([name])
    assert rates(source, host, first=False) == dict.fromkeys(source.fields)


@pytest.mark.parametrize("name", ["cpu", "network", "disk", "pressure"])
def test_counters_that_went_back_make_no_spike(name, host):
    (source,) = make_sources([name])
    host("after")
    later = source.read()
    host("before")
    found = source.rates(later, source.read(), SECONDS)
    assert all(value is None or value == 0 for value in found.values())


@pytest.mark.parametrize("kind", ["iowait", "idle"])
def test_time_that_the_kernel_corrects_backwards_loses_no_sample(kind, host):
    before = Cpu().read()
    host("after")
    after = {**Cpu().read(), kind: before[kind] - 0.02}
    spent = sum(after.values()) - sum(before.values()) + 0.02
    assert Cpu().rates(before, after, SECONDS)["cpu_usage"] == pytest.approx(3.2 / spent)


def test_cpu_counters_that_were_reset_are_missing_and_not_idle(host):
    after = Cpu().read()
    before = {**after, "user": after["user"] + 50.0, "idle": after["idle"] - 5.0}
    assert Cpu().rates(before, after, SECONDS) == dict.fromkeys(Cpu.fields)


def test_configured_patterns_are_left_out_too(host):
    found = rates(Network(["eth0", "bond*"]), host)
    assert (found["network_receive"], found["network_usage"]) == (2000.0, None)


def test_an_interface_that_appears_gives_no_spike(host):
    source = Network()
    before = source.read()
    del before["eth0"]
    host("after")
    assert source.rates(before, source.read(), SECONDS)["network_receive"] == (10_000 + 200_000) / 5


def test_an_interface_that_vanishes_takes_only_itself_away(host):
    source = Network()
    before = source.read()
    host("after")
    after = source.read()
    del after["eth0"]
    assert source.rates(before, after, SECONDS)["network_receive"] == (10_000 + 200_000) / 5


def test_without_interfaces_the_network_is_missing_and_not_zero(host):
    assert Network().rates({}, {}, SECONDS) == dict.fromkeys(Network.fields)


def test_a_reset_disk_counter_leaves_the_other_disk(host):
    source = Disk()
    before = source.read()
    host("after")
    after = source.read()
    found = source.rates({**before, "sda": after["sda"]}, {**after, "sda": before["sda"]}, SECONDS)
    assert found == {"disk_read": 200 * 512 / 5, "disk_write": 0.0, "disk_busy": 0.1}


def test_a_device_busy_beyond_the_interval_is_fully_busy(host):
    source = Disk()
    before = source.read()
    host("after")
    assert source.rates(before, source.read(), 2.0)["disk_busy"] == 1.0


def test_without_disks_their_figures_are_missing_and_not_zero(host, monkeypatch, tmp_path):
    monkeypatch.setattr(procfs, "SYSFS", tmp_path)
    assert rates(Disk(), host) == dict.fromkeys(Disk.fields)


def test_a_file_that_stays_open_is_read_anew(monkeypatch, tmp_path):
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    for text in ("0.5 0.1 0.1\n", "12.25 1.0 0.4\n"):
        (tmp_path / "loadavg").write_text(text)
        assert procfs.read_proc("loadavg") == text


def test_a_host_without_swap_has_no_swap_usage(monkeypatch, tmp_path):
    (tmp_path / "meminfo").write_text("SwapTotal: 0 kB\nSwapFree: 0 kB\n")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    assert Swap().rates(None, Swap().read(), SECONDS) == {"swap_usage": None}


def test_a_kernel_without_pressure_fails_as_a_source(monkeypatch, tmp_path):
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        Pressure().read()


def test_garbage_in_a_pressure_file_fails_as_a_source(monkeypatch, tmp_path):
    (tmp_path / "pressure").mkdir()
    (tmp_path / "pressure" / "cpu").write_text("")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    with pytest.raises(ValueError, match="no line of pressure"):
        Pressure().read()


def test_a_kernel_with_some_pressure_gives_that(monkeypatch, tmp_path):
    (tmp_path / "pressure").mkdir()
    (tmp_path / "pressure" / "cpu").write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=100\n")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    found = Pressure().rates({"cpu": 0}, Pressure().read(), 1.0)
    assert found == {"pressure_cpu": 1e-4, "pressure_memory": None, "pressure_io": None}

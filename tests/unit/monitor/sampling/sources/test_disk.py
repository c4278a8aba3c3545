"""Disk source."""

import math

import pytest

from monitor.sampling.sources import procfs
from monitor.sampling.sources.disk import WRAP, Disk

from .conftest import SECONDS, values_of

pytestmark = pytest.mark.unit


def busy(*milliseconds, seconds=SECONDS):
    """Return the busy ratios of a disk with these readings."""
    source = Disk()
    readings = ({"sda": (100 + i, 100 + i, count)} for i, count in enumerate(milliseconds))
    return [source.compute(reading, seconds * i, math.inf)["disk_busy"] for i, reading in enumerate(readings)]


def test_disk_rates_cover_physical_devices_only(host):
    # Sectors of 512 bytes: sda 2000 read, 10000 written, 3000 ms busy; sdb 200 read, 500 ms busy.
    expected = {"disk_read": 2200 * 512 / 5, "disk_write": 10_000 * 512 / 5, "disk_busy": 0.6}
    assert host.values(Disk()) == pytest.approx(expected, abs=1e-12)


def test_disk_values_are_missing_while_the_counters_of_one_device_were_reset(host):
    source = Disk()
    before, after = host.readings(source)
    values = values_of(source, {**before, "sda": after["sda"]}, {**after, "sda": before["sda"]})
    assert values == dict.fromkeys(Disk.fields)


def test_disk_leaves_out_a_device_that_was_removed(host):
    source = Disk()
    before, after = host.readings(source)
    del after["sda"]
    assert values_of(source, before, after) == {"disk_read": 200 * 512 / 5, "disk_write": 0.0, "disk_busy": 0.1}


def test_disk_busy_is_at_most_one(host):
    source = Disk()
    assert values_of(source, *host.readings(source), 2.0)["disk_busy"] == 1.0


def test_disk_busy_is_right_over_a_wrap_of_its_counter():
    assert busy(WRAP - 1000, 500) == [None, 0.3]


def test_disk_busy_is_one_at_the_end_of_a_long_operation():
    assert busy(1000, 31_000) == [None, 1.0]


def test_disk_values_are_missing_for_an_impossible_busy_time():
    assert busy(10**9, 10**9 - 5000, 10**9) == [None, None, 0.0]


def test_disk_values_are_missing_without_physical_devices(host, monkeypatch, tmp_path):
    monkeypatch.setattr(procfs, "SYSFS", tmp_path)
    assert host.values(Disk()) == dict.fromkeys(Disk.fields)


@pytest.mark.parametrize("namespace", [0, 2000])
def test_disk_counts_the_paths_of_an_nvme_namespace_instead_of_it(proc, monkeypatch, namespace):
    monkeypatch.setattr(procfs, "SYSFS", proc / "sys")
    names = {"nvme0c0n1": 500, "nvme0c1n1": 1500, "nvme0n1": namespace, "nvme0n2": 7, "drbd0": 9}
    for name in names:
        (proc / "sys" / "block" / name).mkdir(parents=True)
    rows = (f"259 0 {name} 1 2 {sectors} 4 5 6 7 8 9 10 11\n" for name, sectors in names.items())
    (proc / "diskstats").write_text("".join(rows))
    assert Disk().read() == {"nvme0c0n1": (500, 7, 10), "nvme0c1n1": (1500, 7, 10), "nvme0n2": (7, 7, 10)}


@pytest.mark.parametrize("bad", ["8 0 sdb 100 0 2000 50\n", "8 0 sdb 1 2 3 4 5 6 x 8 9 10 11\n", "8 0 sdb 1 2"])
def test_disk_reads_intact_rows_next_to_a_malformed_one(host, proc, bad):
    (proc / "diskstats").write_text(f"   8  0 sda 1 2 3 4 5 6 7 8 9 10 11\n{bad}")
    assert Disk().read() == {"sda": (3, 7, 10)}


def test_disk_read_fails_without_a_table(proc):
    with pytest.raises(FileNotFoundError):
        Disk().read()

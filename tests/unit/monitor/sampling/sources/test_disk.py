"""Disk source."""

import pytest

from monitor.sampling.sources import procfs
from monitor.sampling.sources.disk import Disk

from .conftest import SECONDS

pytestmark = pytest.mark.unit


def test_disk_rates_cover_physical_devices_only(host):
    # Sectors of 512 bytes: sda 2000 read, 10000 written, 3000 ms busy; sdb 200 read, 500 ms busy.
    expected = {"disk_read": 2200 * 512 / 5, "disk_write": 10_000 * 512 / 5, "disk_busy": 0.6}
    assert host.values(Disk()) == pytest.approx(expected, abs=1e-12)


def test_disk_leaves_out_the_device_whose_counters_were_reset(host):
    source = Disk()
    before, after = host.readings(source)
    values = source.compute({**before, "sda": after["sda"]}, {**after, "sda": before["sda"]}, SECONDS)
    assert values == {"disk_read": 200 * 512 / 5, "disk_write": 0.0, "disk_busy": 0.1}


def test_disk_busy_is_at_most_one(host):
    source = Disk()
    assert source.compute(*host.readings(source), 2.0)["disk_busy"] == 1.0


def test_disk_values_are_missing_without_physical_devices(host, monkeypatch, tmp_path):
    monkeypatch.setattr(procfs, "SYSFS", tmp_path)
    assert host.values(Disk()) == dict.fromkeys(Disk.fields)

"""Device selection by name."""

import pytest

from monitor.sampling.history_sources.device_names import counted_interface_names, physical_disk_names

pytestmark = pytest.mark.unit


def test_interfaces_exclude_virtual_stacked_and_configured_names():
    names = [
        "lo",
        "eth0",
        "eth1",
        "eth0.100",
        "eth0:1",
        "bond0",
        "br0",
        "br-1f",
        "docker0",
        "veth12",
        "wlan0",
        "usb0",
    ]
    assert counted_interface_names(names, ["usb*"]) == {"eth0", "eth1", "wlan0"}


def test_disks_exclude_partitions_volumes_and_virtual_devices():
    names = ["sda", "sda1", "vdb", "xvda", "xvda2", "nvme0n1", "nvme0n1p1", "mmcblk0", "mmcblk0p1", "mmcblk0boot0"]
    names += ["dm-0", "md127", "loop3", "zram0", "ram0", "sr0", "drbd1", "zd16"]
    assert physical_disk_names(names) == {"sda", "vdb", "xvda", "nvme0n1", "mmcblk0"}


def test_disks_count_the_paths_of_an_nvme_namespace_instead_of_it():
    assert physical_disk_names(["nvme0n1", "nvme0c0n1", "nvme0c1n1", "nvme1n1"]) == {
        "nvme0c0n1",
        "nvme0c1n1",
        "nvme1n1",
    }

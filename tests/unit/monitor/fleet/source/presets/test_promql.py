"""PromQL of many hosts: device patterns."""

import re
from fnmatch import fnmatch

import pytest

from monitor.fleet.source.presets.promql import HostQueries, glob_pattern
from monitor.sampling.history_sources.device_names import STACKED_INTERFACES, physical_disk_names
from monitor.sampling.sources.interfaces import EXCLUDED_PATTERNS

pytestmark = pytest.mark.unit

QUERIES = HostQueries(matchers="", host_label="instance", window=120, network_exclude=("wan?",))
INTERFACES = (
    "eth0",
    "ens3",
    "lo",
    "docker0",
    "veth1a",
    "br-1f",
    "br0",
    "bridge",
    "bond0",
    "eth0.100",
    "eth0:1",
    "wan1",
)
DISKS = (
    "sda",
    "sda1",
    "nvme0n1",
    "nvme0n1p1",
    "nvme0c0n1",
    "dm-0",
    "md0",
    "loop1",
    "sr0",
    "xvda",
    "mmcblk0",
    "mmcblk0p1",
)


def excluded(matcher, names):
    pattern = re.fullmatch(r'\w+!~"(.*)"', matcher)[1].replace("\\\\", "\\").replace('\\"', '"')
    return {name for name in names if re.fullmatch(pattern, name)}


@pytest.mark.parametrize("pattern", [*EXCLUDED_PATTERNS, *STACKED_INTERFACES, "wan?", "[!e]th*", "a+b", "x[a-c]"])
def test_glob_pattern_matches_the_same_names(pattern):
    names = (*INTERFACES, "ath0", "a+b", "aab", "xa", "xd")
    assert {n for n in names if re.fullmatch(glob_pattern(pattern), n)} == {n for n in names if fnmatch(n, pattern)}


def test_virtual_and_stacked_interfaces_are_excluded():
    assert set(INTERFACES) - excluded(QUERIES.interfaces("device"), INTERFACES) == {"eth0", "ens3", "bridge"}


def test_disks_are_those_of_an_import_and_all_paths_of_nvme():
    counted = set(DISKS) - excluded(QUERIES.disks("device"), DISKS)
    assert counted == physical_disk_names(DISKS) | {"nvme0n1"}

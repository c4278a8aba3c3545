"""Mounted file systems: choice of the mounts, and their use."""

import os
import subprocess
from pathlib import Path

import pytest

from monitor.sampling.sources import mounts as module
from monitor.sampling.sources.mounts import (
    MAX_FILESYSTEMS,
    MAX_NAME,
    Mount,
    parse_mount,
    read_mounts,
    read_usage,
    shortened,
)

pytestmark = pytest.mark.unit

TABLE = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / ro,relatime - ext4 /dev/vda rw,discard
28 27 254:0 /srv/data /bind rw shared:1 - ext4 /dev/vda rw
29 27 8:1 / /mnt/with\\040space rw - xfs /dev/sda1 rw
30 27 8:2 / /media/cd ro - iso9660 /dev/sr0 ro
31 27 8:3 / /readonly rw - ext4 /dev/sdb1 ro
32 27 0:40 / /net rw - nfs4 server:/export rw
33 27 0:41 / /tmp rw - tmpfs tmpfs rw
34 27 0:42 / /var/lib/docker/overlay2/abc rw - overlay overlay rw
35 27 0:43 /home /home rw - btrfs /dev/sdc1 rw
36 27 0:43 /root /roots rw - btrfs /dev/sdc1 rw
malformed
"""


@pytest.fixture
def table(monkeypatch):
    monkeypatch.setattr(module.procfs, "read_whole_proc", lambda name: TABLE)


def points(**arguments):
    return [mount.point for mount in read_mounts(**arguments)]


def test_read_mounts_takes_each_local_file_system_once(table):
    assert points() == ["/", "/home", "/mnt/with space"]


def test_read_mounts_leaves_out_patterns_and_adds_types(table):
    assert points(exclude=("/mnt/*", "/home")) == ["/", "/roots"]
    assert points(types=("tmpfs",)) == ["/", "/home", "/mnt/with space", "/tmp"]


def test_parse_mount_takes_overlay_as_a_mount_of_any_place_but_read_mounts_only_the_root(monkeypatch):
    line = "1 0 0:50 / / rw - overlay overlay rw,lowerdir=x"
    assert parse_mount(line) == Mount(point="/", kind="overlay", device="0:50", root="/")
    monkeypatch.setattr(module.procfs, "read_whole_proc", lambda name: line)
    assert points() == ["/"]


@pytest.mark.parametrize(
    "line", ["", "27 1 254:0 / / ro", "27 1 254:0 / - ext4", "27 1 254:0 / / rw - ext4 /dev/vda"]
)
def test_parse_mount_refuses_malformed_lines(line):
    assert parse_mount(line) is None


def test_read_usage_agrees_with_df():
    (root,) = [usage for usage in read_usage(read_mounts(types=("overlay",))) if usage.name == "/"]
    output = subprocess.run(
        ["df", "--block-size=1", "--output=used,avail", "/"], capture_output=True, text=True, check=True
    )
    used, available = map(int, output.stdout.splitlines()[1].split())
    assert root.used == pytest.approx(used, rel=0.01)
    assert root.size == pytest.approx(used + available, rel=0.01)
    assert root.inode_usage is None or 0 <= root.inode_usage <= 1


def test_read_usage_leaves_out_hidden_and_missing_mounts():
    number = Path("/").stat().st_dev
    device = f"{os.major(number)}:{os.minor(number)}"
    visible = Mount("/", "ext4", device, "/")
    hidden = Mount("/", "ext4", "8:77", "/")
    assert len(read_usage([visible])) == 1
    assert read_usage([hidden, Mount("/does/not/exist", "ext4", device, "/")]) == []


def test_read_usage_is_bounded():
    number = Path("/").stat().st_dev
    device = f"{os.major(number)}:{os.minor(number)}"
    assert len(read_usage([Mount("/", "ext4", device, "/")] * 50)) == MAX_FILESYSTEMS


def test_shortened_keeps_the_end_of_a_long_name_and_replaces_control_characters():
    assert shortened("/srv") == "/srv"
    assert shortened("/a\nb") == "/a?b"
    name = shortened("/x" * 300 + "/end")
    assert len(name) == MAX_NAME
    assert name.startswith("...")
    assert name.endswith("/end")

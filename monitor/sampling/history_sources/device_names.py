"""Device selection by name: for histories without the sysfs of their host.

The live sources ask sysfs which devices count the same bytes twice. A history only has the names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch

from monitor.sampling.sources.disk import EXCLUDED_PREFIXES, NVME_PATH
from monitor.sampling.sources.interfaces import EXCLUDED_PATTERNS

STACKED_INTERFACES = ("br[0-9]*", "bond*", "team*", "vlan*", "vxlan*", "*.[0-9]*", "*:*", "kube-*", "lxc*", "ovs-*")
"""Name patterns of bridges, bonds, VLANs and aliases: the interfaces below them count the same bytes."""

VOLUME_PREFIXES = ("dm-", "md")
"""Name prefixes of volumes: the disks below them count the same bytes."""

PARTITION = re.compile(r"(?:[hsv]|xv)d[a-z]+\d+|(?:nvme\d+n\d+|mmcblk\d+)p\d+|mmcblk\d+(?:boot|rpmb|gp)\d*", re.ASCII)


def counted_interface_names(names: Iterable[str], exclude: Sequence[str] = ()) -> frozenset[str]:
    """Return the interfaces that count each packet once, by their names.

    Args:
        names: names of all interfaces.
        exclude: further shell patterns of names to exclude, as in `sampling.network_exclude`.
    """
    patterns = (*EXCLUDED_PATTERNS, *STACKED_INTERFACES, *exclude)
    return frozenset(name for name in names if not any(fnmatch(name, pattern) for pattern in patterns))


def physical_disk_names(names: Iterable[str]) -> frozenset[str]:
    """Return the physical disks among `names`; of an NVMe namespace with several paths, only the paths."""
    names = frozenset(names)
    namespaces = {path.expand(r"\1\2") for path in map(NVME_PATH.fullmatch, names) if path}
    excluded = (*EXCLUDED_PREFIXES, *VOLUME_PREFIXES)
    return frozenset(
        name for name in names - namespaces if not name.startswith(excluded) and not PARTITION.fullmatch(name)
    )

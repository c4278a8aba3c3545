"""Which network interfaces count, by what sysfs says of them.

A packet passes through several interfaces on its way. One of them is to count it: the one nearest to the wire.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path

from monitor.sampling.sources import procfs

VIRTUAL = (
    "lo",
    "docker*",
    "veth*",
    "br-*",
    "virbr*",
    "vnet*",
    "cni*",
    "flannel*",
    "cali*",
    "tun*",
    "tap*",
    "wg*",
    "dummy*",
    "ifb*",
)
"""Left out by name, also where sysfs tells nothing. Tunnels too: a physical interface carries what is in them."""


def counted(names: Iterable[str], exclude: Sequence[str]) -> dict[str, float | None]:
    """The interfaces to count, each with the speed of its link in bytes/s (None: not known).

    Beside a physical interface no virtual one counts, but for a bond, which counts for its members. Where none is
    physical, as in most containers, those count that no name and no link gives away as counting twice.

    Args:
        names: all interfaces there are.
        exclude: shell patterns of names to leave out.
    """
    interfaces = {name: procfs.SYSFS / "class" / "net" / name for name in names}
    beside_physical = any(_has(path, "device") for path in interfaces.values())
    return {
        name: _speed(path)
        for name, path in interfaces.items()
        # "eth0:1" is another address of eth0, and ":" is no part of a name in sysfs
        if ":" not in name
        and not any(fnmatch(name, pattern) for pattern in (*VIRTUAL, *exclude))
        and not _counted_elsewhere(path)
        and not (beside_physical and _virtual(path))
    }


def _has(interface: Path, entry: str) -> bool:
    return (interface / entry).exists()


def _virtual(interface: Path) -> bool:
    """Whether sysfs knows it and no device is behind it; what sysfs does not know is judged by name alone."""
    return interface.exists() and not (_has(interface, "device") or _has(interface, "bonding"))


def _counted_elsewhere(interface: Path) -> bool:
    """Whether another interface counts the same packets: a bridge, a member of a bond, a VLAN over a device."""
    if any(_has(interface, entry) for entry in ("bridge", "bonding_slave", "master/device")):
        return True
    if _has(interface, "bonding"):
        return False
    # A paravirtual device is the master of the physical one that it hands its packets to, and counts for both.
    paravirtual = _has(interface, "device")
    return any(not (paravirtual and _has(lower, "master")) for lower in interface.glob("lower_*"))


def _speed(interface: Path) -> float | None:
    """The speed of the link in bytes/s; the kernel gives Mbit/s, -1 or an error where there is none."""
    try:
        megabits = int((interface / "speed").read_text())
    except (OSError, ValueError):
        return None
    return megabits * 125_000.0 if megabits > 0 else None

"""Network interface selection: each packet is counted at one of the stacked interfaces.

A packet may pass through several interfaces, such as a VLAN and the device below it; sysfs describes the stack. The
lowest interface is selected, except that a bond and a paravirtual device replace the devices below them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path

from monitor.sampling.sources import procfs

EXCLUDED_PATTERNS = (
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
"""Name patterns of interfaces that are always excluded; a physical interface counts the packets of tunnels."""


UNKNOWN_SPEEDS = frozenset({2**16 - 1, 2**32 - 1})
"""Link speeds in Mbit/s that older kernels and drivers report instead of -1 if the speed is unknown."""


def counted_interfaces(names: Iterable[str], exclude: Sequence[str]) -> dict[str, float | None]:
    """Return the monitored interfaces, each with its link speed in bytes per second (None if unknown).

    Left out are aliases, names that match EXCLUDED_PATTERNS or `exclude`, and interfaces whose packets another
    interface counts according to sysfs. If there is a physical interface, virtual interfaces are also left out,
    except for a bond, which replaces its members.

    Args:
        names: names of all interfaces of the host.
        exclude: shell patterns of names to exclude.
    """
    interfaces = {name: procfs.SYSFS / "class" / "net" / name for name in names}
    has_physical = any(_has_entry(path, "device") for path in interfaces.values())
    return {
        name: _link_speed(path)
        for name, path in interfaces.items()
        # "eth0:1" is an alias of eth0; names in sysfs contain no colon.
        if ":" not in name
        and not any(fnmatch(name, pattern) for pattern in (*EXCLUDED_PATTERNS, *exclude))
        and not _is_counted_elsewhere(path)
        and not (has_physical and _is_virtual(path))
    }


def _has_entry(interface: Path, entry: str) -> bool:
    return (interface / entry).exists()


def _is_virtual(interface: Path) -> bool:
    """Return True if sysfs lists the interface without a hardware device, and the interface is not a bond."""
    return interface.exists() and not (_has_entry(interface, "device") or _has_entry(interface, "bonding"))


def _is_counted_elsewhere(interface: Path) -> bool:
    """Return True if another interface counts the same packets, as for a bridge, a bond member or a VLAN."""
    if any(_has_entry(interface, entry) for entry in ("bridge", "bonding_slave", "master/device")):
        return True
    if _has_entry(interface, "bonding"):
        return False
    # A paravirtual device is the master of the physical device that carries its packets; the master is counted.
    paravirtual = _has_entry(interface, "device")
    return any(not (paravirtual and _has_entry(lower, "master")) for lower in interface.glob("lower_*"))


def _link_speed(interface: Path) -> float | None:
    """Return the link speed in bytes per second, converted from Mbit/s; None if the kernel does not know it."""
    try:
        megabits = int((interface / "speed").read_text())
    except (OSError, ValueError):
        return None
    return megabits * 125_000.0 if megabits > 0 and megabits not in UNKNOWN_SPEEDS else None

"""Network interface selection: count each packet once, at the interface nearest to the wire.

A packet passes through several interfaces; sysfs describes how they are stacked.
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
"""Names excluded even if sysfs has no entry. Tunnels are among them: a physical interface carries their packets."""


def counted_interfaces(names: Iterable[str], exclude: Sequence[str]) -> dict[str, float | None]:
    """Return the interfaces to count, with their link speeds in bytes per second (None if unknown).

    If there is a physical interface, virtual ones are excluded, except for a bond, which counts for its members.
    Otherwise, as in most containers, every interface counts that neither its name nor its links mark as a duplicate.

    Args:
        names: all interfaces of the host.
        exclude: shell patterns of names to exclude.
    """
    interfaces = {name: procfs.SYSFS / "class" / "net" / name for name in names}
    has_physical = any(_has_entry(path, "device") for path in interfaces.values())
    return {
        name: _link_speed(path)
        for name, path in interfaces.items()
        # "eth0:1" is a further address of eth0; names in sysfs contain no colon.
        if ":" not in name
        and not any(fnmatch(name, pattern) for pattern in (*EXCLUDED_PATTERNS, *exclude))
        and not _is_counted_elsewhere(path)
        and not (has_physical and _is_virtual(path))
    }


def _has_entry(interface: Path, entry: str) -> bool:
    return (interface / entry).exists()


def _is_virtual(interface: Path) -> bool:
    """Return True if sysfs knows the interface and no device is behind it."""
    return interface.exists() and not (_has_entry(interface, "device") or _has_entry(interface, "bonding"))


def _is_counted_elsewhere(interface: Path) -> bool:
    """Return True if another interface counts the same packets: a bridge, a bond member, a VLAN over a device."""
    if any(_has_entry(interface, entry) for entry in ("bridge", "bonding_slave", "master/device")):
        return True
    if _has_entry(interface, "bonding"):
        return False
    # A paravirtual device is the master of the physical one that carries its packets, and counts for both.
    paravirtual = _has_entry(interface, "device")
    return any(not (paravirtual and _has_entry(lower, "master")) for lower in interface.glob("lower_*"))


def _link_speed(interface: Path) -> float | None:
    """Return the link speed in bytes per second; the kernel reports Mbit/s, or -1 or an error if unknown."""
    try:
        megabits = int((interface / "speed").read_text())
    except (OSError, ValueError):
        return None
    return megabits * 125_000.0 if megabits > 0 else None

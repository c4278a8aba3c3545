"""What goes over the network, each packet counted once.

Loopback and the interfaces that only hand on what another one counts (bridges, their ports, containers' ends,
tunnels, the members of a bond) are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import psutil

from monitor.sources import procfs
from monitor.sources.base import Rates, per_second

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


@dataclass(frozen=True)
class Counters:
    """Since boot: bytes each way, errors and drops; `speed` in bytes/s, None where the link has none."""

    receive: int
    transmit: int
    errors: int
    speed: float | None


class Network:
    """Raw figures: counters by interface."""

    name = "network"
    fields = ("network_receive", "network_transmit", "network_errors", "network_usage")

    def __init__(self, exclude: Sequence[str] = ()) -> None:
        self._exclude = tuple(exclude)
        self._seen: frozenset[str] = frozenset()
        self._speeds: dict[str, float | None] = {}

    def read(self) -> dict[str, Counters]:
        counters = psutil.net_io_counters(pernic=True, nowrap=False)
        if counters.keys() != self._seen:
            self._seen = frozenset(counters)
            self._speeds = {name: _speed(name) for name in counters if self._counted(name)}
        return {
            name: Counters(
                found.bytes_recv,
                found.bytes_sent,
                found.errin + found.errout + found.dropin + found.dropout,
                self._speeds[name],
            )
            for name, found in counters.items()
            if name in self._speeds
        }

    def rates(self, before: dict[str, Counters] | None, after: dict[str, Counters], seconds: float) -> Rates:
        rates: Rates = dict.fromkeys(self.fields)
        # An interface that was not there before, or was reset, would give all it ever carried as one spike.
        same = [
            name for name in (before or {}).keys() & after.keys() if before and _went_on(before[name], after[name])
        ]
        if not before or not same:
            return rates
        usages = []
        receive = transmit = errors = 0.0
        for name in same:
            first, second = before[name], after[name]
            one_way = (second.receive - first.receive) / seconds
            other_way = (second.transmit - first.transmit) / seconds
            receive, transmit = receive + one_way, transmit + other_way
            errors += per_second(first.errors, second.errors, seconds) or 0.0
            if second.speed:
                usages.append(min(1.0, max(one_way, other_way) / second.speed))
        return {
            "network_receive": receive,
            "network_transmit": transmit,
            "network_errors": errors,
            "network_usage": max(usages) if usages else None,
        }

    def _counted(self, name: str) -> bool:
        # "eth0:1" is another address of eth0, and ":" is no part of a name in sysfs
        if ":" in name or any(fnmatch(name, pattern) for pattern in (*VIRTUAL, *self._exclude)):
            return False
        return not _hands_on(procfs.SYSFS / "class" / "net" / name)


def _went_on(before: Counters, after: Counters) -> bool:
    return after.receive >= before.receive and after.transmit >= before.transmit and after.errors >= before.errors


def _hands_on(interface: Path) -> bool:
    """Whether another interface counts the same packets: a bridge, a member of a bond, a VLAN over a device."""
    if (interface / "bridge").exists() or (any(interface.glob("lower_*")) and not (interface / "bonding").exists()):
        return True
    return (interface / "bonding_slave").exists()


def _speed(name: str) -> float | None:
    """The speed of the link in bytes/s; the kernel gives Mbit/s, -1 or an error where there is none."""
    try:
        megabits = int((procfs.SYSFS / "class" / "net" / name / "speed").read_text())
    except (OSError, ValueError):
        return None
    return megabits * 125_000.0 if megabits > 0 else None

"""What goes over the network, each packet counted once.

A rate is made for each interface alone, so that one that comes, goes or is reset is left out of one interval and
never shows all it ever carried as a spike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from monitor.sampling.sources.base import Rates
from monitor.sampling.sources.device_cache import DeviceCache
from monitor.sampling.sources.interfaces import counted


@dataclass(frozen=True)
class Counters:
    """Since boot: bytes each way, errors and drops; `speed` in bytes/s, None where the link has none."""

    receive: int
    transmit: int
    errors: int
    speed: float | None


class Network:
    """Bytes/s, errors and drops/s, and the busiest interface's busier direction over its speed (ratio).

    Raw figures: counters by interface. Reading raises OSError, ValueError or AssertionError of psutil for an
    interface that vanishes meanwhile and for a table that is no table.
    """

    name = "network"
    fields = ("network_receive", "network_transmit", "network_errors", "network_usage")

    def __init__(self, exclude: Sequence[str] = ()) -> None:
        patterns = tuple(exclude)
        self._speeds = DeviceCache(lambda names: counted(names, patterns))

    def read(self) -> dict[str, Counters]:
        counters = psutil.net_io_counters(pernic=True, nowrap=False)
        return {
            name: Counters(
                counters[name].bytes_recv,
                counters[name].bytes_sent,
                counters[name].errin + counters[name].errout + counters[name].dropin + counters[name].dropout,
                speed,
            )
            for name, speed in self._speeds.of(counters).items()
        }

    def rates(self, before: dict[str, Counters] | None, after: dict[str, Counters], seconds: float) -> Rates:
        known = [(before[name], after[name]) for name in before.keys() & after.keys()] if before else []
        links = [_rates(first, second, seconds) for first, second in known if _went_on(first, second)]
        if not links:
            return dict.fromkeys(self.fields)
        usages = [link["network_usage"] for link in links if link["network_usage"] is not None]
        sums = {name: sum(link[name] or 0.0 for link in links) for name in self.fields}
        return {**sums, "network_usage": max(usages, default=None)}


def _went_on(before: Counters, after: Counters) -> bool:
    return after.receive >= before.receive and after.transmit >= before.transmit and after.errors >= before.errors


def _rates(before: Counters, after: Counters, seconds: float) -> Rates:
    """The fields of one interface."""
    receive = (after.receive - before.receive) / seconds
    transmit = (after.transmit - before.transmit) / seconds
    return {
        "network_receive": receive,
        "network_transmit": transmit,
        "network_errors": (after.errors - before.errors) / seconds,
        # The counters and our clock are not read at the same instant: a full link may seem fuller than full.
        "network_usage": min(1.0, max(receive, transmit) / after.speed) if after.speed else None,
    }

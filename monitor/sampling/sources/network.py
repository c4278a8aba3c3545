"""Network source: throughput, errors and utilisation of the counted interfaces.

Rates are computed per interface: one that appears, disappears or is reset is left out of one interval, instead of
adding all its traffic since boot as a spike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources.base import Values
from monitor.sampling.sources.device_cache import DeviceCache
from monitor.sampling.sources.interfaces import counted_interfaces


@dataclass(frozen=True)
class Counters:
    """Counters of one interface since boot.

    Attributes:
        receive: bytes received.
        transmit: bytes transmitted.
        errors: errors and drops in both directions.
        speed: link speed in bytes per second; None if unknown.
    """

    receive: int
    transmit: int
    errors: int
    speed: float | None


class Network:
    """Bytes, errors and drops per second, and the utilisation of the busiest interface in its busier direction.

    A reading holds the counters by interface. `read` raises OSError, or psutil's ValueError or AssertionError for an
    interface that disappears meanwhile or a malformed table.
    """

    name = "network"
    fields = fields_of_source("network")

    def __init__(self, exclude: Sequence[str] = ()) -> None:
        patterns = tuple(exclude)
        self._speeds = DeviceCache(lambda names: counted_interfaces(names, patterns))

    def read(self) -> dict[str, Counters]:
        table = psutil.net_io_counters(pernic=True, nowrap=False)
        return {
            name: Counters(
                receive=table[name].bytes_recv,
                transmit=table[name].bytes_sent,
                errors=table[name].errin + table[name].errout + table[name].dropin + table[name].dropout,
                speed=speed,
            )
            for name, speed in self._speeds.get(table).items()
        }

    def compute(self, previous: dict[str, Counters] | None, current: dict[str, Counters], seconds: float) -> Values:
        before = previous or {}
        pairs = [(before[name], current[name]) for name in before.keys() & current.keys()]
        interfaces = [_rates(old, new, seconds) for old, new in pairs if _is_continuous(old, new)]
        if not interfaces:
            return dict.fromkeys(self.fields)
        usages = [rates["network_usage"] for rates in interfaces if rates["network_usage"] is not None]
        sums = {name: sum(rates[name] or 0.0 for rates in interfaces) for name in self.fields}
        return {**sums, "network_usage": max(usages, default=None)}


def _is_continuous(previous: Counters, current: Counters) -> bool:
    """Return True if no counter of the interface decreased."""
    return (
        current.receive >= previous.receive
        and current.transmit >= previous.transmit
        and current.errors >= previous.errors
    )


def _rates(previous: Counters, current: Counters, seconds: float) -> Values:
    """Return the values of one interface."""
    receive = (current.receive - previous.receive) / seconds
    transmit = (current.transmit - previous.transmit) / seconds
    # Counters and clock are not read at the same time: a saturated link may seem to exceed its speed.
    usage = min(1.0, max(receive, transmit) / current.speed) if current.speed else None
    return {
        "network_receive": receive,
        "network_transmit": transmit,
        "network_errors": (current.errors - previous.errors) / seconds,
        "network_usage": usage,
    }

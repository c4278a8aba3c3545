"""Network source: throughput, errors and utilisation of the counted interfaces.

Rates are computed per interface: one that appears or disappears is left out of one interval, instead of adding all
its traffic since boot as a spike.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.sampling.metric_catalog import MAX_ERRORS_PER_SECOND, fields_of_source
from monitor.sampling.sources.base import READ_DELAY, Values
from monitor.sampling.sources.counters import CounterMeter, Counts, Step, limited_increase
from monitor.sampling.sources.device_cache import DeviceCache
from monitor.sampling.sources.interfaces import counted_interfaces
from monitor.sampling.sources.procfs import parse_rows, read_whole_proc

HEADER_LINES = 2
COLUMNS = 16
RECEIVE, TRANSMIT = 0, 8
ERRORS = (2, 3, 10, 11)
"""Columns of /proc/net/dev after the name: bytes received and transmitted, errors and drops of both directions."""

MAX_INTERFACE_THROUGHPUT = 1e11
"""Physical bound of an interface in bytes per second, if its speed is unknown: 800 Gbit/s, the fastest Ethernet."""

LINK_SPEED_FACTOR = 8
"""Multiple of the link speed that no interface reaches. Virtual ones report a nominal speed and may exceed it."""

MAX_USAGE = 1.5
"""Usage beyond which the link speed is only nominal, so that the usage is unknown."""


class Network:
    """Bytes, errors and drops per second, and the utilisation of the busiest interface in its busier direction.

    A reading holds, by counted interface, the bytes received, the bytes transmitted, and the errors and drops of both
    directions. `read` raises OSError, or ValueError if the kernel's table is malformed.
    """

    name = "network"
    fields = fields_of_source("network")
    optional = False

    def __init__(self, exclude: Sequence[str] = ()) -> None:
        patterns = tuple(exclude)
        self._links = DeviceCache(lambda names: counted_interfaces(names, patterns))
        self._speeds: dict[str, float | None] = {}
        self._meter = CounterMeter(self._increase)

    def read(self) -> dict[str, Counts]:
        lines = read_whole_proc("net/dev").splitlines(keepends=True)[HEADER_LINES:]
        table = parse_rows(lines, _parse_row)
        self._speeds = self._links.get(table)
        return {name: table[name] for name in self._speeds}

    def compute(self, reading: dict[str, Counts], at: float, max_age: float) -> Values:
        steps = self._meter.update(reading, at, max_age)
        known = {name: step for name, step in steps.items() if step is not None}
        if not known or len(known) < len(steps):
            return dict.fromkeys(self.fields)
        sums = {field: sum(step.rate(i) for step in known.values()) for i, field in enumerate(self.fields[:3])}
        usages = [_usage(step, self._speeds.get(name)) for name, step in known.items()]
        return {**sums, "network_usage": max((usage for usage in usages if usage is not None), default=None)}

    def _increase(self, name: str, earlier: Counts, later: Counts, seconds: float) -> Counts | None:
        speed = self._speeds.get(name)
        most = LINK_SPEED_FACTOR * speed if speed else MAX_INTERFACE_THROUGHPUT
        limits = tuple(limit * (seconds + READ_DELAY) for limit in (most, most, MAX_ERRORS_PER_SECOND))
        increase = limited_increase(earlier, later, limits)
        if increase is None:
            # The link may have become faster since its speed was read.
            self._links.expire()
        return increase


def _parse_row(line: str) -> tuple[str, Counts]:
    name, colon, row = line.rpartition(":")
    cells = row.split()
    if not colon or len(cells) < COLUMNS:
        raise ValueError(f"not a row of net/dev: {line[:40]!r}")
    columns = tuple(map(int, cells))
    return name.strip(), (columns[RECEIVE], columns[TRANSMIT], sum(columns[column] for column in ERRORS))


def _usage(step: Step, speed: float | None) -> float | None:
    """Return the utilisation of an interface; None if its speed is unknown or only nominal."""
    usage = max(step.rate(0), step.rate(1)) / speed if speed else MAX_USAGE
    # Counters and clock are not read at the same time: a saturated link may seem to exceed its speed.
    return min(1.0, usage) if usage < MAX_USAGE else None

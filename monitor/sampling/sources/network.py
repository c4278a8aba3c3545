"""Network source: throughput, errors and utilisation of the monitored interfaces.

Rates are computed per interface. An interface that appears or disappears is left out of one interval; otherwise its
traffic since boot would appear as a spike.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.sampling.metric_catalog import MAX_ERRORS_PER_SECOND, fields_of_source
from monitor.sampling.sources.base import READ_DELAY, Values
from monitor.sampling.sources.counters import CounterMeter, Counts, Step, limited_increase
from monitor.sampling.sources.device_cache import DeviceCache
from monitor.sampling.sources.interfaces import counted_interfaces
from monitor.sampling.sources.procfs import NETWORK_TABLE, parse_rows, read_whole_proc

HEADER_LINES = 2
COLUMNS = 16
RECEIVE, TRANSMIT = 0, 8
ERRORS = (2, 3, 10, 11)
"""Columns of /proc/net/dev after the name: bytes received, bytes transmitted, errors and drops in both directions."""

MAX_INTERFACE_THROUGHPUT = 1e11
"""Upper bound for an interface of unknown speed, in bytes per second: 800 Gbit/s, the fastest Ethernet."""

LINK_SPEED_FACTOR = 8
"""Multiple of the link speed above which a rate is rejected; virtual interfaces may exceed their nominal speed."""

MAX_USAGE = 1.5
"""Smallest ratio of rate to link speed at which the speed is considered nominal and the utilisation unknown."""


class Network:
    """Source of the network metrics: bytes, errors and drops per second, and utilisation of the busiest interface.

    The utilisation of an interface is that of its busier direction. A reading maps each interface that
    `counted_interfaces` selects to its bytes received, its bytes transmitted, and its errors and drops in both
    directions. `read` raises OSError, or ValueError if /proc/net/dev is malformed.
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
        lines = read_whole_proc(NETWORK_TABLE).splitlines(keepends=True)[HEADER_LINES:]
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
            # The link speed may have increased since it was read.
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
    """Return the utilisation of an interface, clipped at 1; None if the speed is unknown or only nominal."""
    usage = max(step.rate(0), step.rate(1)) / speed if speed else MAX_USAGE
    # Counters and clock are not read at the same time: the rate of a saturated link may exceed its speed.
    return min(1.0, usage) if usage < MAX_USAGE else None

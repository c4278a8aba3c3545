"""Resumption: the histories of hosts that have been read to different times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from monitor.fleet.interfaces import HostHistory, HostSource

GROUP_STEPS = 60
"""Hosts whose last times differ by less than this number of steps are read together."""


def resumed_histories(source: HostSource, last_times: Mapping[str, float], end: float) -> Iterator[HostHistory]:
    """Yield what the histories of hosts have after their last times.

    Args:
        source: source of the histories.
        last_times: time of the last known sample of each host in seconds since the epoch.
        end: seconds since the epoch, exclusive.

    Raises:
        SourceError: the source gives no usable answer; what has been yielded need not be read again.
    """
    length = GROUP_STEPS * source.step
    ordered = sorted(last_times.items(), key=lambda item: (item[1] // length, item[0]))
    for _, group in groupby(ordered, key=lambda item: item[1] // length):
        last_of = dict(group)
        start = min(last_of.values()) + source.step
        for part in source.history(tuple(last_of), start, end):
            is_new = part.times > last_of[part.host]
            if is_new.any():
                yield HostHistory(part.host, part.times[is_new], part.values[is_new])

"""Parts of histories: joined per host, and rearranged as samples of all hosts."""

from __future__ import annotations

import numpy as np

from monitor.fleet.interfaces import FleetSample, HostHistory


def joined(parts: list[HostHistory]) -> dict[str, HostHistory]:
    """Return the parts of each host as one history."""
    by_host: dict[str, list[HostHistory]] = {}
    for part in parts:
        by_host.setdefault(part.host, []).append(part)
    return {
        host: HostHistory(
            host, np.concatenate([part.times for part in of]), np.concatenate([part.values for part in of])
        )
        for host, of in by_host.items()
    }


def samples_of(parts: list[HostHistory]) -> list[FleetSample]:
    """Return the samples of histories, one per step that any host has, in time order."""
    rows: dict[float, dict[str, object]] = {}
    for part in parts:
        for at, values in zip(part.times, part.values, strict=True):
            rows.setdefault(float(at), {})[part.host] = values
    samples = []
    for at in sorted(rows):
        hosts = tuple(sorted(rows[at]))
        samples.append(FleetSample(at, hosts, np.array([rows[at][host] for host in hosts], float)))
    return samples

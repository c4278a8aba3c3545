"""Warning tracker: start and end of the warnings of all hosts, continued over a restart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from monitor.fleet.interfaces import FleetForecast
from storage.fleet.records import FleetWarning

WarningKey = tuple[str, float]
"""Host and horizon in seconds."""


class WarningTracker:
    """Active warnings. For use by one thread."""

    def __init__(self, active: Sequence[FleetWarning] = ()) -> None:
        """Initialize with the warnings that were active when the previous process ended."""
        self._active = {(warning.host, warning.horizon): warning for warning in active}

    @property
    def active(self) -> Mapping[WarningKey, FleetWarning]:
        """Active warnings, as a view of a copy that does not change."""
        return MappingProxyType(dict(self._active))

    def update(self, forecast: FleetForecast) -> list[FleetWarning]:
        """Compare with the newest predictions, and return the warnings that started or ended.

        The peak of a warning is part of its end: it is not returned while the warning is active.
        """
        changed = []
        warned: set[WarningKey] = set()
        for row, number in np.argwhere(forecast.warnings):
            key = (forecast.hosts[row], forecast.horizons[number])
            probability = float(forecast.probabilities[row, number])
            warned.add(key)
            known = self._active.get(key)
            if known is None:
                known = FleetWarning(*key, forecast.time, None, probability, probability)
                changed.append(known)
            self._active[key] = replace(known, peak=max(known.peak, probability))
        hosts = set(forecast.hosts)
        over = [
            key for key in self._active if (key[0] in hosts and key not in warned) or key[1] not in forecast.horizons
        ]
        return changed + [self._end(key, forecast.time) for key in over]

    def remove(self, hosts: Sequence[str], time: float) -> list[FleetWarning]:
        """Return the ended warnings of hosts that are no longer followed.

        Args:
            hosts: values of the host label.
            time: end, in seconds since the epoch.
        """
        removed = set(hosts)
        return [self._end(key, time) for key in list(self._active) if key[0] in removed]

    def _end(self, key: WarningKey, time: float) -> FleetWarning:
        warning = self._active.pop(key)
        return replace(warning, ended_at=max(time, warning.started_at))

"""Host roster: hosts that come and go, by their last values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.fleet.interfaces import FleetSample


@dataclass(frozen=True)
class RosterChange:
    """Change of the followed hosts at one step.

    Attributes:
        arrived: sorted hosts that are new.
        expired: sorted hosts without values for longer than the limit.
    """

    arrived: tuple[str, ...]
    expired: tuple[str, ...]


class HostRoster:
    """Followed hosts with the time of their last values."""

    def __init__(self, expire_after: float, last_times: Mapping[str, float] | None = None) -> None:
        """Initialize a roster.

        Args:
            expire_after: seconds without values after which a host is no longer followed.
            last_times: time of the last values of each host that is followed already, seconds since the epoch.
        """
        self._expire_after = expire_after
        self._last_times = dict(last_times or {})

    @property
    def last_times(self) -> Mapping[str, float]:
        """Time of the last values of each followed host, seconds since the epoch."""
        return dict(self._last_times)

    def update(self, sample: FleetSample) -> RosterChange:
        """Note the hosts of a sample, forget those without values for too long, and return the change."""
        arrived = tuple(host for host in sample.hosts if host not in self._last_times)
        self._last_times.update(dict.fromkeys(sample.hosts, sample.time))
        limit = sample.time - self._expire_after
        expired = tuple(sorted(host for host, last in self._last_times.items() if last < limit))
        for host in expired:
            del self._last_times[host]
        return RosterChange(arrived, expired)

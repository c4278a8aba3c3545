"""History loader: hosts that wait for their histories, which are read part by part."""

from __future__ import annotations

from collections import deque

import numpy as np

from monitor.errors import SourceError
from monitor.fleet.interfaces import FleetSample, HostHistory, HostSource
from monitor.fleet.process.history_parts import joined
from monitor.fleet.process.members import Members
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger

log = get_logger(__name__)

LOADED_HOSTS = 200
"""Largest number of hosts whose histories are read at once."""

MAX_ATTEMPTS = 3
"""Number of failed reads of a history after which a host is followed without it, or missed steps are given up."""


class HistoryLoader:
    """Queue of new hosts. For use by one thread."""

    def __init__(self, source: HostSource, members: Members, history: float) -> None:
        """Initialize without hosts.

        Args:
            source: source of the histories.
            members: followed hosts.
            history: seconds of history that are read for a host.
        """
        self._source = source
        self._members = members
        self._history = history
        self._pending: deque[str] = deque()
        self._attempts: dict[str, int] = {}
        self._failure = RecurringFailure(log, "history read failed", "history recovered")

    @property
    def waiting(self) -> int:
        """Number of hosts that wait for their histories."""
        return len(self._pending)

    def queue_new(self, sample: FleetSample) -> None:
        """Queue the hosts that are not followed yet."""
        known = self._members.followed.union(self._pending)
        new = [host for host in sample.hosts if host not in known]
        self._pending.extend(new)
        if new:
            log.info("hosts found", hosts=len(new), first=new[0])

    def load_part(self, until: float) -> bool:
        """Follow the next LOADED_HOSTS hosts with their histories; return False if the source fails.

        Args:
            until: end of the histories, exclusive, in seconds since the epoch.
        """
        part = [self._pending.popleft() for _ in range(min(LOADED_HOSTS, len(self._pending)))]
        try:
            parts = list(self._source.history(part, until - self._history, until))
        except SourceError as error:
            self._failure.failure(error=error)
            self._retry(part)
            return False
        self._failure.success()
        self._follow(part, parts)
        return True

    def _retry(self, part: list[str]) -> None:
        """Queue hosts again, and follow those without a history whose reads have failed MAX_ATTEMPTS times."""
        given_up = []
        for host in part:
            self._attempts[host] = self._attempts.get(host, 0) + 1
            if self._attempts[host] >= MAX_ATTEMPTS:
                given_up.append(host)
            else:
                self._pending.append(host)
        if given_up:
            log.warning("hosts followed without history", hosts=len(given_up), first=given_up[0])
            self._follow(given_up, [])

    def _follow(self, hosts: list[str], parts: list[HostHistory]) -> None:
        nothing = np.empty((0, len(self._source.columns)))
        histories = joined(parts)
        self._members.follow([histories.get(host, HostHistory(host, np.empty(0), nothing)) for host in hosts])
        for host in hosts:
            self._attempts.pop(host, None)

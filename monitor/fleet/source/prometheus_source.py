"""Prometheus source: samples and histories of the hosts of a server with the Prometheus API."""

from __future__ import annotations

import logging
import time as clock
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from monitor.config.fleet.fleet_section import FleetSection
from monitor.config.fleet.source_section import SourceSection
from monitor.fleet.interfaces import FleetSample, HostHistory
from monitor.fleet.source.field_queries import FieldQueries
from monitor.fleet.source.history_reader import HistoryReader
from monitor.fleet.source.live_reader import LiveReader
from monitor.fleet.source.server_queries import ServerQueries
from monitor.fleet.source.statistics import SourceStatistics
from monitor.sampling.history_sources.http_client import HttpClient
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger

log = get_logger(__name__)


class PrometheusSource:
    """Source of the samples of many hosts.

    Attributes:
        statistics: counts since the start; replaced after each step.
        client: client of the server.
    """

    def __init__(
        self,
        client: HttpClient,
        section: SourceSection,
        fleet: FleetSection,
        network_exclude: Sequence[str] = (),
        *,
        now: Callable[[], float] = clock.time,
        sleep: Callable[[float], None] = clock.sleep,
    ) -> None:
        """Initialize a source; the first read sends the first query.

        Args:
            client: client of the server.
            section: section [source] of the configuration.
            fleet: section [fleet] of the configuration.
            network_exclude: shell patterns of network interfaces to exclude.
            now: returns the current time in seconds since the epoch.
            sleep: waits for a number of seconds.
        """
        self.statistics = SourceStatistics()
        self.client = client
        self._section = section
        self._now = now
        self._sleep = sleep
        server = ServerQueries(client, section.timeout, section.concurrency, accepts_partial=section.partial_answers)
        self._queries = FieldQueries(section, network_exclude)
        self._live = LiveReader(server, self._queries, section, fleet)
        self._history = HistoryReader(server, self._queries, section)
        self._failing = RecurringFailure(log, "fleet query failed", "fleet queries recovered", level=logging.WARNING)
        self._ambiguous = RecurringFailure(
            log, "duplicate series detected", "duplicate series gone", level=logging.WARNING
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """(columns,) names of sample fields."""
        return self._queries.columns

    @property
    def step(self) -> float:
        """Seconds between samples."""
        return self._section.step

    def read(self, time: float) -> FleetSample:
        """Return the sample of all hosts of this shard at a step, once its delay has passed.

        A field whose query fails until shortly before the next step is missing, and counted in `statistics`.

        Args:
            time: seconds since the epoch, a multiple of the step.

        Raises:
            SourceError: the queries of all fields failed, or there are too many hosts.
        """
        wait = time + self._section.delay - self._now()
        if wait > 0:
            self._sleep(min(wait, self._section.delay))
        started = clock.monotonic()
        hosts = 0
        try:
            sample = self._live.read(time)
            hosts = len(sample.hosts)
        finally:
            duration = clock.monotonic() - started
            counted = self.statistics.with_outcomes(self._live.outcomes)
            self.statistics = replace(counted, hosts=hosts, duration=duration)
            self._log_problems()
        return sample

    def history(self, hosts: Sequence[str], start: float, end: float) -> Iterator[HostHistory]:
        """Yield parts of the histories of hosts with start <= time < end (seconds since the epoch).

        Raises:
            SourceError: a query fails, after repetitions.
        """
        return self._history.read(hosts, start, end)

    def _log_problems(self) -> None:
        errors = self.statistics.errors
        if errors:
            self._failing.failure(fields=",".join(errors), error=next(iter(errors.values())))
        else:
            self._failing.success()
        duplicates = self.statistics.duplicate_labels
        if duplicates:
            host, labels = next(iter(duplicates.items()))
            self._ambiguous.failure(hosts=len(duplicates), host=host, labels=labels)
        else:
            self._ambiguous.success()

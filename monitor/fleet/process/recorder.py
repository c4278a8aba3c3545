"""Fleet recorder: changes that wait for the database, and jobs that store and delete."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from model.units import DAY
from monitor.config.notify.section import NotifySection
from monitor.fleet.process.members import Members
from monitor.fleet.process.state import FleetStorageState
from monitor.queries.channels import ChannelOverview, read_channels
from monitor.stores import Stores
from storage import StorageError
from storage.fleet.records import SCORE_SUMS, FleetChange, FleetHost, FleetScore, FleetWarning, HostPrediction
from storage.fleet.repository import FleetRepository

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_PENDING_SCORES = 500_000
"""Largest number of totals that wait for the database; the oldest hours are dropped."""

MAX_PENDING_WARNINGS = 100_000
"""Largest number of warnings that wait for the database; the oldest are dropped."""

STORAGE_INTERVAL = 5.0
"""Seconds between two writes to the database."""

ROWS_PER_SECOND = 100.0
"""Largest average number of predictions stored per second: those of many hosts are stored less often."""

HOURLY_SCORES = 8 * DAY
"""Age in seconds after which the hourly totals of a day are merged."""

NOTIFICATIONS_KEPT = 7 * DAY
"""Seconds for which the record of a delivered or abandoned notification is kept."""


class OpenableStorage(Protocol):
    """Database that may be unavailable."""

    @property
    def stores(self) -> Stores:
        """Repositories of the database."""
        ...

    def ensure_open(self) -> None:
        """Open or recover the database.

        Raises:
            StorageError: the database is unavailable.
        """
        ...

    def open_generation(self) -> int | None:
        """Return the number of times that the database was opened; None while it is unavailable."""
        ...


class FleetRecorder:
    """Changes that wait for the database, bounded in number; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hosts: dict[str, FleetHost] = {}
        self._warnings: dict[tuple[str, float, float], FleetWarning] = {}
        self._scores: dict[tuple[float, str, float], FleetScore] = {}
        self._predictions: tuple[HostPrediction, ...] | None = None

    def add(self, change: FleetChange) -> None:
        """Add a change; newer hosts, warnings and predictions replace those that wait."""
        with self._lock:
            for host in change.hosts:
                known = self._hosts.get(host.host)
                first = host.first_seen if known is None else min(known.first_seen, host.first_seen)
                self._hosts[host.host] = replace(host, first_seen=first)
            for warning in change.warnings:
                self._warnings[warning.host, warning.horizon, warning.started_at] = warning
            self._add_scores(change.scores)
            if change.predictions is not None:
                self._predictions = change.predictions
            _drop_oldest(self._warnings, MAX_PENDING_WARNINGS)

    def take(self) -> FleetChange | None:
        """Return everything that waits as one change; None if nothing does."""
        with self._lock:
            waiting = FleetChange(
                tuple(self._hosts.values()),
                tuple(self._warnings.values()),
                tuple(self._scores.values()),
                self._predictions,
            )
            for entries in (self._hosts, self._warnings, self._scores):
                entries.clear()
            self._predictions = None
        return None if waiting == FleetChange() else waiting

    def put_back(self, change: FleetChange) -> None:
        """Add a change that could not be stored; what was added since is newer."""
        newer = self.take()
        self.add(change)
        if newer is not None:
            self.add(newer)

    def _add_scores(self, scores: tuple[FleetScore, ...]) -> None:
        for score in scores:
            key = (score.hour, score.host, score.horizon)
            known = self._scores.get(key)
            if known is not None:
                sums = {name: getattr(known, name) + getattr(score, name) for name in SCORE_SUMS}
                score = replace(score, **sums)  # noqa: PLW2901
            self._scores[key] = score
        if len(self._scores) > MAX_PENDING_SCORES:
            _drop_oldest(self._scores, MAX_PENDING_SCORES)


class FleetStorageJob:
    """Periodic job that stores what waits. Its runs do not overlap."""

    def __init__(
        self,
        storage: OpenableStorage,
        members: Members,
        recorder: FleetRecorder,
        publish: Callable[[FleetStorageState], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._storage = storage
        self._members = members
        self._recorder = recorder
        self._publish = publish
        self._clock = clock
        self._state = FleetStorageState()
        self._generation = storage.open_generation()
        self._due = 0.0

    def run(self) -> None:
        """Open the database if necessary, and store what waits.

        After the database was opened again, it also gets the active warnings, and those that it alone has are ended:
        it may be another database, or an older copy.

        Raises:
            StorageError: the database is unavailable; everything waits for the next run.
        """
        now = self._clock()
        if now >= self._due:
            table = self._members.table
            self._members.request_record()
            self._due = now + prediction_interval(len(table.hosts), len(table.horizons))
        try:
            self._storage.ensure_open()
            repository = FleetRepository(self._storage.stores.database)
            if self._storage.open_generation() != self._generation:
                self._recorder.add(self._reconciled(repository, now))
                self._generation = self._storage.open_generation()
            self._store(repository)
        except StorageError as error:
            self._state = replace(self._state, error=str(error), failures=self._state.failures + 1)
            raise
        else:
            self._state = replace(self._state, error=None, stored_at=now)
        finally:
            self._publish(self._state)

    def _store(self, repository: FleetRepository) -> None:
        change = self._recorder.take()
        if change is None:
            return
        try:
            repository.save(change)
        except StorageError:
            self._recorder.put_back(change)
            raise

    def _reconciled(self, repository: FleetRepository, now: float) -> FleetChange:
        """Return the change that brings a database up to date, apart from scores and predictions."""
        active = self._members.active_warnings
        keys = {(warning.host, warning.horizon, warning.started_at) for warning in active}
        over = [
            replace(warning, ended_at=max(now, warning.started_at))
            for warning in repository.active_warnings()
            if (warning.host, warning.horizon, warning.started_at) not in keys
        ]
        table = self._members.table
        hosts = tuple(
            FleetHost(host, float(first), float(last))
            for host, first, last in zip(table.hosts, table.first_seen, table.last_seen, strict=True)
        )
        return FleetChange(hosts=hosts, warnings=(*active, *over))


def prediction_interval(hosts: int, horizons: int) -> float:
    """Return the shortest time in seconds between two writes of the predictions of a fleet."""
    return hosts * max(1, horizons) / ROWS_PER_SECOND


def delete_old(storage: OpenableStorage, retention: float, now: float) -> None:
    """Merge the totals of older hours, and delete what is older than the retention.

    Args:
        storage: database.
        retention: seconds.
        now: seconds since the epoch.

    Raises:
        StorageError: the database cannot be written.
    """
    repository = FleetRepository(storage.stores.database)
    repository.merge_scores(now - HOURLY_SCORES)
    repository.purge(now - retention)
    storage.stores.notifications.purge_finished(now - NOTIFICATIONS_KEPT)


def channels_of(storage: OpenableStorage, notify: NotifySection) -> tuple[ChannelOverview, ...]:
    """Return the stored state of each notification channel; none while the database is not open.

    Raises:
        StorageError: the database cannot be read.
    """
    if storage.open_generation() is None:
        return ()
    return read_channels(storage.stores, notify, time.time())


def _drop_oldest(entries: dict[Key, Value], limit: int) -> None:
    """Remove the entries that were added first until at most `limit` remain."""
    for key in list(entries)[: max(0, len(entries) - limit)]:
        del entries[key]

"""What the checks look at together, read once: the configuration, the files of the database, what is stored.

All of it is read and nothing is changed, while a daemon runs or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from model.array_types import Floats
from model.units import DAY
from monitor.config.loader import Config
from monitor.queries.status import Overview, old_after, read_overview
from monitor.stores import Stores, stores_of
from monitor.system.logging import redact_credentials
from monitor.training.records import CompletedRun, completed_run
from storage import StorageError
from storage.inspection import Outside, database_path, lock_holder, open_read_only, outside, schema_needs_migration

RUNS = 50
"""Trainings that are looked at, the newest."""


@dataclass(frozen=True)
class Stored:
    """What the database tells.

    `recent` holds the times (seconds) of the samples of the last day, `ahead` counts those of the future, and
    `blob_error` says why the serving model could not be read.
    """

    overview: Overview
    recent: Floats
    ahead: int
    runs: tuple[CompletedRun, ...]
    blob: bytes | None
    blob_error: str
    detector: bytes | None


@dataclass(frozen=True)
class Daemon:
    """Whether one runs on the database, None where `why` it is not known; and its process, None where not known."""

    running: bool | None
    process: int | None = None
    why: str = ""


@dataclass(frozen=True)
class Evidence:
    """Where something could not be read it is None, and the word beside it says why."""

    now: float
    config: Config
    database: Path | None
    outside: Outside | None
    unseen: str
    daemon: Daemon
    behind: bool
    stored: Stored | None
    unread: str

    @property
    def directory(self) -> Path | None:
        """Where the database lies."""
        return None if self.database is None else self.database.parent


NONE_RUNS = Daemon(False)


def gather(config: Config, now: float) -> Evidence:
    """Reads it all. Raises nothing for what the database refuses: that is evidence too."""
    try:
        path = database_path(config.database_url)
    except StorageError as error:
        return Evidence(now, config, None, None, str(error), NONE_RUNS, False, None, str(error))
    if path is None:
        why = f"{redact_credentials(config.database_url)}: not a database in a file"
        return Evidence(now, config, None, None, why, NONE_RUNS, False, None, why)
    # Before it is opened: this closes files of it, which would drop SQLite's locks.
    files, unseen = _outside(path)
    behind, stored, unread = _stored(config, now)
    return Evidence(now, config, path, files, unseen, _daemon(path), behind, stored, unread)


def _outside(path: Path) -> tuple[Outside | None, str]:
    try:
        return outside(path), ""
    except StorageError as error:
        return None, str(error)


def _daemon(path: Path) -> Daemon:
    try:
        holder = lock_holder(Path(f"{path}.daemon.lock"))
    except StorageError as error:
        return Daemon(None, why=str(error))
    if holder is None:
        return NONE_RUNS
    return Daemon(True, int(holder) if holder.isdecimal() else None)


def _stored(config: Config, now: float) -> tuple[bool, Stored | None, str]:
    behind = False
    try:
        with open_read_only(config.database_url) as database:
            behind = schema_needs_migration(database)
            return behind, _read(stores_of(database), config, now), ""
    except StorageError as error:
        return behind, None, str(error)


def _read(stores: Stores, config: Config, now: float) -> Stored:
    overview = read_overview(stores, config, now)
    blob, blob_error, detector = None, "", None
    if overview.model is not None:
        try:
            blob = stores.registry.blob(overview.model.id)
            detector = stores.registry.detector(overview.model.id)
        except StorageError as error:
            blob_error = str(error)
    return Stored(
        overview=overview,
        recent=stores.samples.between(now - DAY, now, ())[:, 0],
        ahead=stores.samples.count(since=now + old_after(config.sampling.interval)),
        runs=tuple(map(completed_run, stores.runs.history(RUNS))),
        blob=blob,
        blob_error=blob_error,
        detector=detector,
    )

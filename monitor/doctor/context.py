"""Input of the checks, read once: configuration, database files, stored records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from model.array_types import Floats
from model.units import DAY
from monitor.config.database_url import is_server_url
from monitor.config.loader import Config
from monitor.documents.live import LiveStatus, read_live_status
from monitor.queries.overview import Overview, max_sample_age
from monitor.queries.status import read_overview
from monitor.stores import Stores, stores_of
from monitor.system.redaction import redact_credentials
from monitor.training.records import CompletedRun, completed_run
from storage import Database, StorageError, open_database
from storage.database import closed_database
from storage.errors import StorageErrorKind
from storage.inspection import (
    DatabaseFiles,
    database_path,
    inspect_files,
    lock_holder,
    open_read_only,
    schema_needs_migration,
)

RUNS = 50
"""Number of training runs that the checks read, newest first."""


@dataclass(frozen=True)
class StoredRecords:
    """Records that the checks read from the database.

    Attributes:
        overview: stored state of the daemon.
        recent: times of the samples of the last day, in seconds since the epoch.
        future: number of samples that are more than `max_sample_age` seconds in the future.
        runs: training runs, newest first.
        model: bytes of the serving model; None if no model serves or its bytes cannot be read.
        model_error: reason why the serving model cannot be read; empty otherwise.
        detector: bytes of the anomaly detector of the serving model; None if there is none.
    """

    overview: Overview
    recent: Floats
    future: int
    runs: tuple[CompletedRun, ...]
    model: bytes | None
    model_error: str
    detector: bytes | None


@dataclass(frozen=True)
class DaemonProcess:
    """Process that holds the daemon's lock on the database.

    Attributes:
        running: True if a daemon runs; None if unknown.
        pid: process ID; None if unknown.
        reason: reason why `running` is unknown; empty otherwise.
    """

    running: bool | None
    pid: int | None = None
    reason: str = ""


NO_DAEMON = DaemonProcess(running=False)


@dataclass(frozen=True)
class DoctorContext:
    """Input of the checks. A part that could not be read is None, and its error is set.

    Attributes:
        now: time of the examination in seconds since the epoch.
        config: configuration.
        database: path of the database; None if it is not a file.
        server: name of the database on a server; empty for a file.
        daemon: process of the daemon.
        files: properties of the database files.
        files_error: reason why the files could not be read.
        needs_migration: True if the schema belongs to an earlier release.
        records: records of the database.
        records_error: reason why the records could not be read.
        live: state of the running daemon; None if no daemon runs or it does not answer.
    """

    now: float
    config: Config
    database: Path | None = None
    server: str = ""
    daemon: DaemonProcess = NO_DAEMON
    files: DatabaseFiles | None = None
    files_error: StorageError | None = None
    needs_migration: bool = False
    records: StoredRecords | None = None
    records_error: StorageError | None = None
    live: LiveStatus | None = None

    @property
    def name(self) -> str:
        """Path or name of the database."""
        return self.server or str(self.database)

    @property
    def directory(self) -> Path | None:
        """Directory of the database; None if the database is not a file."""
        return None if self.database is None else self.database.parent


def read_context(config: Config, now: float) -> DoctorContext:
    """Read the input of the checks; nothing is changed, and errors are stored in the result instead of raised."""
    try:
        path = database_path(config.database_url)
    except StorageError as error:
        return DoctorContext(now, config, files_error=error, records_error=error)
    if is_server_url(config.database_url):
        return _read_server(config, now)
    if path is None:
        message = f"{redact_credentials(config.database_url)}: not a database in a file"
        no_file = StorageError(message, StorageErrorKind.NO_FILE)
        return DoctorContext(now, config, files_error=no_file, records_error=no_file)
    # Read the files before the database is opened: closing them later would drop SQLite's locks.
    files, files_error = _read_files(path)
    needs_migration, records, records_error = _read_database(config, now)
    daemon = _find_daemon(path)
    return DoctorContext(
        now=now,
        config=config,
        database=path,
        daemon=daemon,
        files=files,
        files_error=files_error,
        needs_migration=needs_migration,
        records=records,
        records_error=records_error,
        live=read_live_status(config) if daemon.running else None,
    )


def _read_server(config: Config, now: float) -> DoctorContext:
    """Return the input of the checks for a database on a server, which has no files here."""
    context = DoctorContext(now, config, files_error=StorageError("it is on a server", StorageErrorKind.NO_FILE))
    try:
        name = closed_database(config.database_url).name
        context = replace(context, server=name)
        with open_database(config.database_url, migrate=False, create=False) as database:
            daemon = _holder_of(database)
            context = replace(context, daemon=daemon, live=read_live_status(config) if daemon.running else None)
            context = replace(context, needs_migration=schema_needs_migration(database))
            if not context.needs_migration:
                context = replace(context, records=_read_records(stores_of(database), config, now))
    except StorageError as error:
        return replace(context, records_error=error)
    return context


def _holder_of(database: Database) -> DaemonProcess:
    """Return the process that holds the lock of the daemon, which may run on another host."""
    return DaemonProcess(running=True) if database.is_locked("daemon") else NO_DAEMON


def _read_files(path: Path) -> tuple[DatabaseFiles | None, StorageError | None]:
    try:
        return inspect_files(path), None
    except StorageError as error:
        return None, error


def _find_daemon(path: Path) -> DaemonProcess:
    try:
        holder = lock_holder(Path(f"{path}.daemon.lock"))
    except StorageError as error:
        return DaemonProcess(running=None, reason=str(error))
    if holder is None:
        return NO_DAEMON
    return DaemonProcess(running=True, pid=int(holder) if holder.isdecimal() else None)


def _read_database(config: Config, now: float) -> tuple[bool, StoredRecords | None, StorageError | None]:
    """Return (needs_migration, records, None), or (needs_migration, None, error) if they cannot be read."""
    needs_migration = False
    try:
        with open_read_only(config.database_url) as database:
            needs_migration = schema_needs_migration(database)
            return needs_migration, _read_records(stores_of(database), config, now), None
    except StorageError as error:
        return needs_migration, None, error


def _read_records(stores: Stores, config: Config, now: float) -> StoredRecords:
    overview = read_overview(stores, config, now)
    model = None
    model_error = ""
    detector = None
    if overview.model is not None:
        try:
            model = stores.registry.blob(overview.model.id)
            detector = stores.registry.detector(overview.model.id)
        except StorageError as error:
            model_error = str(error)
    return StoredRecords(
        overview=overview,
        recent=stores.samples.between(now - DAY, now, ())[:, 0],
        future=stores.samples.count(since=now + max_sample_age(config.sampling.interval)),
        runs=tuple(map(completed_run, stores.runs.history(RUNS))),
        model=model,
        model_error=model_error,
        detector=detector,
    )

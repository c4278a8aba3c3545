"""Stores: repositories of one database, opened and closed together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from model.units import HOUR
from storage import (
    AnomalyRepository,
    CapacityRepository,
    Compactor,
    CycleRepository,
    Database,
    ModelRegistry,
    NotificationRepository,
    PredictionRepository,
    ProcessSnapshotRepository,
    SampleRepository,
    ScoreRepository,
    TrainingRunRepository,
    open_database,
)

TIME_EPSILON = 0.0005
"""Shift in seconds that makes an inclusive time bound exclusive; samples differ by at least a millisecond."""


@dataclass(frozen=True)
class Stores:
    """Repositories of one open database; `replayed_` repositories hold the results of replaying stored history."""

    database: Database
    cycles: CycleRepository
    samples: SampleRepository
    predictions: PredictionRepository
    registry: ModelRegistry
    runs: TrainingRunRepository
    scores: ScoreRepository
    anomalies: AnomalyRepository
    process_snapshots: ProcessSnapshotRepository
    replayed_predictions: PredictionRepository
    replayed_scores: ScoreRepository
    compactor: Compactor
    notifications: NotificationRepository
    capacity: CapacityRepository


def delete_replayed(stores: Stores, start: float, end: float) -> int:
    """Delete the replayed results of a period, for example because its samples have changed.

    Predictions and scores of whole hours are deleted, because the hourly sums cannot be split.

    Args:
        stores: repositories to delete from.
        start: seconds since the epoch, inclusive.
        end: seconds since the epoch, inclusive.

    Returns:
        The number of predictions deleted.

    Raises:
        StorageError: the database cannot be written.
    """
    stores.anomalies.replace_replayed(start, end, [])
    return delete_replayed_predictions(stores, start, end)


def delete_replayed_predictions(stores: Stores, start: float, end: float) -> int:
    """Delete the replayed predictions and scores of all hours that a period touches; see `delete_replayed`.

    Returns:
        The number of predictions deleted.
    """
    first = start - start % HOUR
    after = end - end % HOUR + HOUR
    stores.replayed_scores.purge_between(first, after)
    return stores.replayed_predictions.purge_between(first, after - TIME_EPSILON)


@contextmanager
def open_stores(url: str, *, busy_timeout: float = 5.0, create: bool = True) -> Iterator[Stores]:
    """Open the database at `url`, and provide its repositories, for a `with` block.

    Args:
        url: database URL.
        busy_timeout: seconds to wait for another writer.
        create: True creates a missing database; False raises an error.

    Raises:
        StorageError: the database cannot be opened; the message names the file.
    """
    with open_database(url, busy_timeout=busy_timeout, create=create) as database:
        yield stores_of(database)


def stores_of(database: Database) -> Stores:
    """Return the repositories of an open database."""
    return Stores(
        database=database,
        cycles=CycleRepository(database),
        samples=SampleRepository(database),
        predictions=PredictionRepository(database),
        registry=ModelRegistry(database),
        runs=TrainingRunRepository(database),
        scores=ScoreRepository(database),
        anomalies=AnomalyRepository(database),
        process_snapshots=ProcessSnapshotRepository(database),
        replayed_predictions=PredictionRepository(database, replayed=True),
        replayed_scores=ScoreRepository(database, replayed=True),
        compactor=Compactor(database),
        notifications=NotificationRepository(database),
        capacity=CapacityRepository(database),
    )

"""The database with its stores, opened together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from storage import (
    AnomalyRepository,
    Database,
    ModelRegistry,
    PredictionRepository,
    SampleRepository,
    ScoreRepository,
    TrainingRunRepository,
    open_database,
)


@dataclass(frozen=True)
class Stores:
    """What the database keeps."""

    database: Database
    samples: SampleRepository
    predictions: PredictionRepository
    registry: ModelRegistry
    runs: TrainingRunRepository
    scores: ScoreRepository
    anomalies: AnomalyRepository


@contextmanager
def open_stores(url: str, *, busy_timeout: float = 5.0, create: bool = True) -> Iterator[Stores]:
    """The stores of the database at `url`, closed at the end.

    Args:
        url: of the database.
        busy_timeout: seconds to wait for another writer.
        create: whether to make the database where it is absent.

    Raises:
        StorageError: it cannot be opened; the message names the file.
    """
    with open_database(url, busy_timeout=busy_timeout, create=create) as database:
        yield stores_of(database)


def stores_of(database: Database) -> Stores:
    """The stores of an open database."""
    return Stores(
        database,
        SampleRepository(database),
        PredictionRepository(database),
        ModelRegistry(database),
        TrainingRunRepository(database),
        ScoreRepository(database),
        AnomalyRepository(database),
    )

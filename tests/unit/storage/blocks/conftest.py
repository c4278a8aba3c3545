"""Histories of the block tests: the same rows in two databases, of which one is compressed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from storage import (
    COMPACTED_TABLES,
    SAMPLE_FIELDS,
    Compactor,
    CycleRepository,
    Database,
    Prediction,
    PredictionRepository,
    Sample,
    SampleRepository,
    open_database,
)

START = 1_750_000_000.0 // 3600 * 3600
HORIZONS = (300.0, 900.0, 3600.0)


@dataclass(frozen=True)
class Stored:
    """Repositories of one database."""

    database: Database
    samples: SampleRepository
    predictions: PredictionRepository
    replayed: PredictionRepository
    cycles: CycleRepository

    @classmethod
    def of(cls, database: Database) -> Stored:
        return cls(
            database=database,
            samples=SampleRepository(database),
            predictions=PredictionRepository(database),
            replayed=PredictionRepository(database, replayed=True),
            cycles=CycleRepository(database),
        )

    def compress(self, before: float = math.inf) -> int:
        """Compress all hours that end before a time, and return the number of rows that blocks replaced."""
        rows = 0
        for name in COMPACTED_TABLES:
            after = 0.0
            while (hour := Compactor(self.database).compact_next(name, after, before)) is not None:
                rows += hour.rows
                after = hour.start + 3600
        return rows


def random_samples(rng: np.random.Generator, hours: int) -> list[Sample]:
    """Return samples with gaps, missing values and times between whole seconds."""
    step = float(rng.choice([20.0, 61.0, 300.0]))
    times = START + np.arange(0, hours * 3600, step)
    times = times[rng.random(len(times)) > 0.2]
    for _ in range(int(rng.integers(0, 3))):
        gap = START + rng.integers(0, hours) * 3600 + rng.integers(-1800, 1800)
        times = times[(times < gap) | (times > gap + rng.integers(600, 9000))]
    shifted = rng.random(len(times)) < 0.1
    times = np.unique(np.round(times + shifted * rng.integers(1, 999, len(times)) / 1000, 3))
    values = rng.lognormal(0, 3, (len(times), len(SAMPLE_FIELDS)))
    values[:, :3] = rng.integers(0, 4, (len(times), 3)) / 10
    values[:, 3] = 0.25
    missing = rng.random(values.shape) < rng.choice([0.0, 0.05, 1.0], len(SAMPLE_FIELDS))
    return [
        Sample(at, *(None if is_missing else value for value, is_missing in zip(row, mask, strict=True)))
        for at, row, mask in zip(times.tolist(), values.tolist(), missing.tolist(), strict=True)
    ]


def random_predictions(rng: np.random.Generator, samples: list[Sample]) -> list[Prediction]:
    """Return predictions for all horizons at most samples, and for some horizons at others."""
    return [
        Prediction(
            at=sample.at,
            horizon=horizon,
            model_id=1 + int(sample.at > START + 5400),
            probability=float(rng.random()),
            baseline_probability=horizon / 36_000,
            threshold=float(rng.choice([0.6, 0.55])),
            warning=bool(rng.random() < 0.3),
            high_load_since=None if rng.random() < 0.7 else sample.at - float(rng.integers(0, 100)),
        )
        for sample in samples
        for horizon in HORIZONS
        if rng.random() < 0.9
    ]


@pytest.fixture
def pair() -> Iterator[Callable[[int, int], tuple[Stored, Stored]]]:
    """A function that stores a random history in two databases, given the seed and the number of hours."""
    databases: list[Database] = []

    def store(seed: int, hours: int) -> tuple[Stored, Stored]:
        rng = np.random.default_rng(seed)
        samples = random_samples(rng, hours)
        predictions = random_predictions(rng, samples)
        stored = []
        for _ in range(2):
            database = open_database("sqlite://")
            databases.append(database)
            stored.append(Stored.of(database))
            stored[-1].samples.append_many(samples)
            stored[-1].predictions.append(predictions)
            stored[-1].replayed.append(predictions[::5])
            SampleRepository(database, host_id=2).append_many(samples[::7])
        return stored[0], stored[1]

    yield store
    for database in databases:
        database.close()

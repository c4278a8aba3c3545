"""Aggregates equal from rows and blocks, and after every kind of write."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from storage import (
    COMPACTED_TABLES,
    SAMPLE_FIELDS,
    Compactor,
    Database,
    Prediction,
    PredictionRepository,
    Sample,
    SampleRepository,
    open_database,
)
from storage.blocks.series import ALL_SERIES

pytestmark = pytest.mark.unit

HOUR = 3600.0
START = 1_750_000_000.0 // 86_400 * 86_400
HOURS = 14
CPU = SAMPLE_FIELDS.index("cpu_usage")
SLOTS = [(START, 300.0, 12 * HOURS), (START - 900.0, 900.0, 60), (START + HOUR, 5400.0, 9), (START, 86_400.0, 2)]


class Stored:
    """Repositories of one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.samples = SampleRepository(database)
        self.predictions = PredictionRepository(database)

    def compress(self, before: float = START + 10 * HOUR) -> None:
        for name in COMPACTED_TABLES:
            after = 0.0
            while (hour := Compactor(self.database).compact_next(name, after, before)) is not None:
                after = hour.start + HOUR

    def execute(self, statement: str) -> None:
        with self.database.writing() as connection:
            connection.exec_driver_sql(statement)

    def aggregates(self) -> list[int]:
        """Return the number of hours with aggregates, for each series."""
        return self._counts([series.aggregates for series in ALL_SERIES])

    def blocks(self) -> list[int]:
        """Return the number of blocks, for each series."""
        return self._counts([series.blocks for series in ALL_SERIES])

    def _counts(self, tables: list[Any]) -> list[int]:
        with self.database.reading() as connection:
            return [int(connection.scalar(select(func.count()).select_from(table)) or 0) for table in tables]

    def figures(self) -> list[Any]:
        """Return all aggregates of the slots in a form that compares bit for bit."""
        figures: list[Any] = []
        for start, width, count in SLOTS:
            figures += [self.samples.bucket_means(start, width, count).tobytes()]
            figures += [self.samples.bucket_maxima(start, width, count).tobytes()]
            maxima = self.predictions.bucket_maxima(start, width, count)
            figures += [{horizon: table.tobytes() for horizon, table in maxima.items()}]
        return figures


def random_rows(seed: int) -> tuple[list[Sample], list[Prediction]]:
    """Return samples and predictions with gaps, missing values and times between whole seconds."""
    rng = np.random.default_rng(seed)
    times = START + np.round(np.sort(rng.choice(int(HOURS * 36_000), 400, replace=False)) / 10, 3)
    times = times[(times < START + 7 * HOUR) | (times > START + 9.5 * HOUR)]
    values = rng.lognormal(0, 2, (len(times), 3))
    samples = [
        Sample(at, cpu_usage=cpu, disk_read=None if cpu > 3 else read, pressure_io=io)
        for at, (cpu, read, io) in zip(times.tolist(), values.tolist(), strict=True)
    ]
    predictions = [
        Prediction(at, horizon, 1, float(rng.random()), float(rng.random()), float(rng.random()), rng.random() < 0.1)
        for at in times.tolist()
        for horizon in (300.0, 3600.0)
        if rng.random() < 0.9
    ]
    return samples, predictions


@pytest.fixture
def pair() -> Iterator[tuple[Stored, Stored]]:
    """Two databases with the same rows, of which the second is compressed."""
    with open_database("sqlite://") as first, open_database("sqlite://") as second:
        stored = Stored(first), Stored(second)
        samples, predictions = random_rows(1)
        for each in stored:
            each.samples.append_many(samples)
            each.predictions.append(predictions)
        stored[1].compress()
        assert stored[1].aggregates() == stored[1].blocks() == [8, 8, 0]
        yield stored


def test_figures_are_equal_from_rows_and_from_aggregates(pair: tuple[Stored, Stored]) -> None:
    rows, blocks = pair
    assert blocks.figures() == rows.figures()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM {table}",
        "DELETE FROM {table} WHERE start % 7200 = 0",
        "UPDATE {table} SET data = substr(data, 2)",
        "UPDATE {table} SET data = 'text'",
        "UPDATE {table} SET checksum = 'text'",
        "UPDATE {table} SET data = (SELECT max(data) FROM {table}), checksum = (SELECT max(checksum) FROM {table})",
        "UPDATE {table} SET start = start + 1",
    ],
)
def test_missing_or_damaged_aggregates_are_computed(pair: tuple[Stored, Stored], statement: str) -> None:
    rows, blocks = pair
    for table in ("sample_aggregates", "prediction_aggregates"):
        blocks.execute(statement.format(table=table))
    assert blocks.figures() == rows.figures()


def test_stored_aggregates_are_read_without_the_data_of_blocks(pair: tuple[Stored, Stored]) -> None:
    rows, blocks = pair
    for table in ("sample_blocks", "prediction_blocks"):
        blocks.execute(f"UPDATE {table} SET data = x'00'")
    assert blocks.figures() == rows.figures()
    assert blocks.database.damaged_rows.counts() == {}


WRITES: list[Callable[[Stored], object]] = [
    lambda stored: stored.samples.append(Sample(START + 2 * HOUR + 0.0001, cpu_usage=99.0)),
    lambda stored: stored.samples.insert_missing(
        np.array([[START + 3 * HOUR + 0.0001, *[50.0] * len(SAMPLE_FIELDS)]])
    ),
    lambda stored: stored.samples.merge(
        stored.samples.between(START, START + 2 * HOUR, ())[::5, 0],
        np.full((len(stored.samples.between(START, START + 2 * HOUR, ())[::5]), 1), 7.0),
        ("cpu_usage",),
        replace=True,
    ),
    lambda stored: stored.samples.purge_between(START + 1.5 * HOUR, START + 4.25 * HOUR),
    lambda stored: stored.samples.purge(START + 5.75 * HOUR),
    lambda stored: stored.predictions.append([Prediction(START + 3 * HOUR, 300.0, 2, 1.0, 0.5, 0.25, True)]),
    lambda stored: stored.predictions.purge_between(START + 1.5 * HOUR, START + 4.25 * HOUR),
    lambda stored: stored.predictions.purge(START + 5.75 * HOUR),
]


@pytest.mark.parametrize("write", WRITES)
def test_writes_into_compressed_hours_change_the_aggregates(
    pair: tuple[Stored, Stored], write: Callable[[Stored], object]
) -> None:
    before = pair[1].figures()
    for stored in pair:
        write(stored)
    rows, blocks = pair
    assert blocks.figures() == rows.figures() != before
    assert blocks.aggregates() == blocks.blocks()
    blocks.compress()
    assert blocks.figures() == rows.figures()
    assert blocks.aggregates() == blocks.blocks()


def test_aggregates_of_a_damaged_block_end_with_a_new_row(pair: tuple[Stored, Stored]) -> None:
    _, blocks = pair
    blocks.execute(f"UPDATE sample_blocks SET data = x'00' WHERE start = {START + HOUR}")
    blocks.samples.append(Sample(START + HOUR + 60.0, cpu_usage=0.5))
    means = blocks.samples.bucket_means(START + HOUR, 300.0, 12)[:, CPU]
    assert means[0] == 0.5
    assert np.isnan(means[1:]).all()


def test_means_are_those_of_all_samples() -> None:
    rng = np.random.default_rng(2)
    times = START + np.arange(0, 48 * HOUR, 30.0)
    # Sums of multiples of 1 / 64 are exact in any order.
    usage = rng.integers(0, 64, len(times)) / 64
    with open_database("sqlite://") as database:
        stored = Stored(database)
        stored.samples.append_many(map(Sample, times.tolist(), usage.tolist()))
        stored.compress(math.inf)
        means = stored.samples.bucket_means(START, 4 * HOUR, 12)[:, CPU]
        maxima = stored.samples.bucket_maxima(START, 4 * HOUR, 12)[:, CPU]
    assert means.tolist() == usage.reshape(12, -1).mean(axis=1).tolist()
    assert maxima.tolist() == usage.reshape(12, -1).max(axis=1).tolist()

"""Snapshots equal to arrays of the same samples, from blocks and rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from storage import SAMPLE_FIELDS, Compactor, Database, SampleRepository
from storage.samples import snapshot

pytestmark = pytest.mark.unit

HOUR = 3600.0
START = 1_750_000_000.0 // HOUR * HOUR


@pytest.fixture
def samples(database: Database) -> SampleRepository:
    """Six hours of samples with gaps and missing values, of which the first four are compressed."""
    rng = np.random.default_rng(1)
    times = START + np.sort(rng.choice(int(6 * HOUR), 500, replace=False))
    times = times[(times < START + 1.5 * HOUR) | (times > START + 2.75 * HOUR)]
    values = rng.lognormal(0, 2, (len(times), len(SAMPLE_FIELDS)))
    values[rng.random(values.shape) < 0.2] = np.nan
    repository = SampleRepository(database)
    repository.insert_missing(np.column_stack((times, values)))
    after = 0.0
    while (hour := Compactor(database).compact_next("samples", after, START + 4 * HOUR)) is not None:
        after = hour.start + HOUR
    return repository


@pytest.mark.parametrize(
    ("start", "end"),
    [(-math.inf, math.inf), (START + 0.4 * HOUR, START + 5.3 * HOUR), (START + 1.6 * HOUR, START + 2.7 * HOUR)],
)
def test_snapshot_has_the_samples_of_the_period(
    samples: SampleRepository, monkeypatch: pytest.MonkeyPatch, start: float, end: float
) -> None:
    monkeypatch.setattr(snapshot, "MAX_ROWS", 40)
    expected = samples.between(start, end)
    taken = samples.snapshot(start, end)
    assert taken.times.tolist() == expected[:, 0].tolist()
    assert len(taken) == len(expected)
    for part in (slice(None), slice(3, 70), slice(60, 61), slice(70, 9999), slice(5, 5)):
        assert taken[part].tobytes() == expected[part, 1:].tobytes()
    for position in range(len(SAMPLE_FIELDS)):
        assert taken.column(position).tobytes() == expected[:, 1 + position].tobytes()


def test_snapshot_keeps_the_samples_that_are_deleted_later(samples: SampleRepository) -> None:
    expected = samples.between(-math.inf, math.inf)
    taken = samples.snapshot(-math.inf, math.inf)
    samples.purge(math.inf)
    assert samples.count() == 0
    assert taken[0 : len(taken)].tobytes() == expected[:, 1:].tobytes()


def test_newest_part_of_a_snapshot_has_the_later_samples(samples: SampleRepository) -> None:
    taken = samples.snapshot(START + 0.4 * HOUR, START + 5.3 * HOUR)
    for position in (0, 1, 75, len(taken) - 1, len(taken)):
        newest = taken.since(position)
        assert newest.times.tolist() == taken.times[position:].tolist()
        assert newest[0 : len(newest)].tobytes() == taken[position : len(taken)].tobytes()
        assert newest.since(1).times.tolist() == newest.times[1:].tolist()


def test_damaged_block_is_counted_and_left_out(samples: SampleRepository, database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE sample_blocks SET checksum = 0 WHERE start = {START}")
    taken = samples.snapshot(-math.inf, math.inf)
    assert taken.times.tolist() == samples.between(-math.inf, math.inf, ())[:, 0].tolist()
    assert taken.times[0] >= START + HOUR
    assert database.damaged_rows.counts() == {"sample_blocks": 1}

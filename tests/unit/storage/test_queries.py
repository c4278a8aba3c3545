"""SQL shared by the time series."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from storage import Database, Sample, SampleRepository
from storage.queries import CHUNK_SECONDS, bucket_chunks, bucket_number, in_chunk, purge, purge_between
from storage.schema import samples

pytestmark = pytest.mark.unit


def test_time_buckets_number_rows_across_chunks(database: Database) -> None:
    width = CHUNK_SECONDS / 2
    SampleRepository(database).append_many(Sample(1000.0 + i * width / 2) for i in range(10))
    counts: dict[int, int] = {}
    chunks = 0
    bucket = bucket_number(samples).label("bucket")
    query = select(bucket, func.count()).where(*in_chunk(samples)).group_by(bucket)
    for chunk in bucket_chunks(1, 1000.0, width, 5):
        chunks += 1
        with database.reading() as connection:
            counts.update({row[0]: row[1] for row in connection.execute(query, chunk)})
    assert chunks == 3
    assert counts == dict.fromkeys(range(5), 2)


def test_purge_keeps_rows_of_the_bound(database: Database) -> None:
    repository = SampleRepository(database)
    repository.append_many(Sample(float(at)) for at in range(5))
    assert purge(database, samples, 1, 3.0, batch=2) == 3
    assert repository.oldest_at() == 3.0
    assert purge(database, samples, 1, 3.0, batch=2) == 0


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_purge_between_includes_both_ends(database: Database, batch: int) -> None:
    repository = SampleRepository(database)
    SampleRepository(database, host_id=2).append(Sample(2.0))
    repository.append_many(Sample(float(at)) for at in range(6))
    assert repository.count_between(1.0, 4.0) == 4
    assert purge_between(database, samples, 1, 1.0, 4.0, batch) == 4
    assert repository.between(-1, 9, ())[:, 0].tolist() == [0.0, 5.0]
    assert SampleRepository(database, host_id=2).count_between(0.0, 9.0) == 1

"""Insertion of samples at free times."""

from __future__ import annotations

import pytest

from storage import Database, Sample
from storage.samples.insertion import INSERT, insert_at_free_time, sample_row

pytestmark = pytest.mark.unit


def test_insert_at_free_time_uses_the_first_free_millisecond(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(INSERT, [sample_row(1, Sample(at)) for at in (7.0, 7.001, 7.0015, 7.003)])
        times = [insert_at_free_time(connection, 1, Sample(7.0)) for _ in range(3)]
        assert insert_at_free_time(connection, 2, Sample(7.0)) == 7.0
    assert times == [7.002, 7.004, 7.005]


def test_sample_row_rounds_byte_rates() -> None:
    row = sample_row(1, Sample(7.0, cpu_usage=0.25, disk_read=2.25))
    assert (row["host_id"], row["at"], row["cpu_usage"], row["disk_read"]) == (1, 7.0, 0.25, 2.0)

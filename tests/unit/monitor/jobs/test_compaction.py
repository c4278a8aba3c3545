"""Compaction job: old hours only, a few per run, again after later writes."""

import pytest

from monitor.jobs.compaction import HOURS_PER_RUN, PAUSE, CompactionJob
from monitor.stores import open_stores
from storage import Prediction, Sample

pytestmark = pytest.mark.unit

HOUR = 3600.0
DAY = 24 * HOUR
START = 1_750_000_000.0 // DAY * DAY


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def stores():
    with open_stores("sqlite://") as opened:
        yield opened


def fill(stores, hours):
    times = [START + 1800.0 * number for number in range(2 * hours)]
    stores.samples.append_many(Sample(at, cpu_usage=0.5) for at in times)
    stores.predictions.append([Prediction(at, 300.0, 1, 0.5, 0.1, 0.6) for at in times])


def blocks(stores, table="sample_blocks"):
    with stores.database.reading() as connection:
        return [row[0] for row in connection.exec_driver_sql(f"SELECT start FROM {table} ORDER BY start")]


def test_run_compresses_hours_that_ended_a_day_before_the_newest_sample(stores):
    fill(stores, 27)
    job = CompactionJob(stores, Clock(START + 27 * HOUR), pause=lambda _: None)
    job.run()
    assert blocks(stores) == [START, START + HOUR]
    assert blocks(stores, "prediction_blocks") == [START, START + HOUR]
    assert stores.samples.count() == 54


def test_run_is_bounded_and_pauses_after_each_hour(stores):
    fill(stores, 24 + 2 * HOURS_PER_RUN + 1)
    pauses = []
    job = CompactionJob(stores, Clock(START + 1000 * HOUR), pause=pauses.append)
    job.run()
    assert (len(blocks(stores)), pauses) == (HOURS_PER_RUN, [PAUSE] * 2 * HOURS_PER_RUN)
    job.run()
    job.run()
    assert len(blocks(stores)) == 2 * HOURS_PER_RUN


def test_clock_set_ahead_compresses_no_current_hour(stores):
    fill(stores, 24)
    CompactionJob(stores, Clock(START + 9000 * HOUR), pause=lambda _: None).run()
    assert blocks(stores) == []


def test_future_sample_compresses_no_current_hour(stores):
    fill(stores, 24)
    stores.samples.append(Sample(START + 999 * HOUR))
    CompactionJob(stores, Clock(START + 24 * HOUR), pause=lambda _: None).run()
    assert blocks(stores) == []


def test_hour_with_later_rows_is_compressed_again_within_an_hour(stores):
    fill(stores, 30)
    clock = Clock(START + 30 * HOUR)
    job = CompactionJob(stores, clock, pause=lambda _: None)
    job.run()
    assert len(blocks(stores)) == 5
    stores.samples.append(Sample(START + 60.0))
    assert len(blocks(stores)) == 4
    clock.now += 60
    job.run()
    assert len(blocks(stores)) == 4
    clock.now += HOUR
    job.run()
    assert len(blocks(stores)) == 5
    assert stores.samples.count() == 61


def test_hour_with_a_damaged_row_does_not_keep_later_hours_from_compression(stores):
    fill(stores, 28)
    with stores.database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE samples SET cpu_usage = 'x' WHERE at = {START}")
    CompactionJob(stores, Clock(START + 28 * HOUR), pause=lambda _: None).run()
    assert blocks(stores) == [START + HOUR, START + 2 * HOUR]


def test_empty_database_is_left_as_it_is(stores):
    CompactionJob(stores, Clock(START), pause=lambda _: None).run()
    assert blocks(stores) == []

"""Tests of the retention job."""

from dataclasses import replace

import pytest

from model.units import DAY
from monitor.jobs.retention import RetentionJob
from monitor.stores import open_stores
from storage import AnomalyRecord, Prediction, Sample

pytestmark = pytest.mark.unit


@pytest.fixture
def stores():
    with open_stores("sqlite://") as opened:
        for at in range(0, 1000, 10):
            opened.samples.append(Sample(float(at), cpu_usage=0.5))
        opened.predictions.append([Prediction(float(at), 300.0, 1, 0.5, 0.1, 0.9) for at in range(0, 1000, 10)])
        yield opened


def retain(stores, retention, clock, interval=10.0, min_samples=0):
    RetentionJob(stores, retention, interval, clock, min_samples).run()


def test_retention_deletes_old_samples_and_their_predictions(stores):
    retain(stores, 200.0, lambda: 990.0, interval=10.0)
    assert stores.samples.oldest_at() == 790.0
    assert stores.predictions.between(0.0, 1000.0)[0].at == 790.0


def test_retention_keeps_newest_samples_when_the_clock_has_jumped_ahead(stores):
    retain(stores, 200.0, lambda: 1e9, interval=10.0)
    assert stores.samples.count() == 21


@pytest.mark.parametrize("spacing", [1.0, 60.0, 600.0, 3600.0])
def test_retention_deletes_history_of_any_spacing_by_age(spacing):
    now = 1_800_000_000.0
    with open_stores("sqlite://") as stores:
        stores.samples.append_many([Sample(now - i * spacing, cpu_usage=0.5) for i in range(2000)])
        retain(stores, 1000 * spacing, lambda: now, interval=1.0)
        assert stores.samples.count() == 1001
        assert stores.samples.oldest_at() == now - 1000 * spacing


def test_retention_keeps_history_through_repeated_jumps_of_the_clock(stores):
    for years in range(1, 6):
        now = 990.0 + years * 365 * DAY
        retain(stores, 2000.0, lambda now=now: now, interval=10.0)
        stores.samples.append(Sample(now, cpu_usage=0.5))
    assert stores.samples.count() == 105


def test_retention_counts_a_short_outage_as_age(stores):
    retain(stores, 200.0, lambda: 1040.0, interval=10.0)
    assert stores.samples.oldest_at() == 840.0


def test_retention_deletes_nothing_from_an_empty_database():
    with open_stores("sqlite://") as empty:
        retain(empty, 200.0, lambda: 1e9, interval=10.0)
        assert empty.samples.count() == 0


def test_retention_deletes_what_was_replayed_before_the_oldest_sample(stores):
    event = AnomalyRecord(100.0, 200.0, 0.9, 150.0, "joint", {"cpu_usage": 1.0}, 1, replayed=True)
    stores.anomalies.replace_replayed(0.0, 900.0, [event, replace(event, started_at=850.0, ended_at=900.0)])
    stores.replayed_predictions.append([Prediction(at, 300.0, 1, 0.5, 0.1, 0.9) for at in (100.0, 800.0)])
    retain(stores, 200.0, lambda: 990.0, interval=10.0)
    assert [prediction.at for prediction in stores.replayed_predictions.between(0.0, 1000.0)] == [800.0]
    assert [anomaly.started_at for anomaly in stores.anomalies.since(0.0)] == [850.0]


def test_retention_deletes_the_processes_recorded_before_the_oldest_sample(stores, process_snapshot):
    stores.process_snapshots.add([replace(process_snapshot, at=at) for at in (100.0, 900.0)])
    retain(stores, 200.0, lambda: 990.0, interval=10.0)
    assert [snapshot.at for snapshot in stores.process_snapshots.of_warnings(0.0)] == [900.0]


@pytest.mark.parametrize(
    ("ahead", "interval"),
    [(60.0, 1.0), (30 * DAY, 1.0), (30 * DAY, 3600.0), (365 * DAY, 10.0), (100 * 365 * DAY, 3600.0)],
)
def test_clock_ahead_with_a_changed_interval_deletes_no_more_than_the_time_sampled_since(ahead, interval):
    """Two days of samples fill the retention; then interval and clock change, and ten samples follow."""
    start = 1_800_000_000.0
    times = [start + 300.0 * i for i in range(576)]
    with open_stores("sqlite://") as stores:
        stores.samples.append_many([Sample(at, cpu_usage=0.5) for at in times])
        for i in range(1, 11):
            now = times[-1] + ahead + i * interval
            stores.samples.append(Sample(now, cpu_usage=0.5))
            retain(stores, 2 * DAY, lambda now=now: now, interval=interval)
        kept = stores.samples.count() - 10
    sampled = 10 * interval + (ahead if ahead <= 60 else 0.0)
    assert kept >= len(times) - sampled / 300.0 - 2


def test_retention_never_deletes_the_newest_samples(stores):
    retain(stores, 200.0, lambda: 990.0, min_samples=40)
    assert stores.samples.count() == 40
    retain(stores, 200.0, lambda: 990.0, min_samples=1000)
    assert stores.samples.count() == 40

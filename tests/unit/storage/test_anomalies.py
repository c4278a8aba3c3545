"""Anomalies, the operator's word on them, and what thresholds are made of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage import (
    AnomalyPeak,
    AnomalyRecord,
    AnomalyRepository,
    Database,
    MaintenanceWindow,
    UnknownAnomalyError,
    Verdict,
)

pytestmark = pytest.mark.unit

SEEN = AnomalyRecord(1000.0, None, 0.9, 1030.0, "joint", {"cpu_usage": 0.75, "disk_busy": 0.25}, 3)


@pytest.fixture
def store(database: Database) -> AnomalyRepository:
    return AnomalyRepository(database)


def test_an_anomaly_goes_on_until_it_has_an_end(store: AnomalyRepository) -> None:
    assert store.ongoing() is None
    first = replace(SEEN, id=store.add(SEEN))
    assert store.ongoing() == store.get(first.id) == first
    ended = replace(first, ended_at=1600.0, peak=0.99, peak_at=1100.0, contributions={"disk_busy": 1.0})
    store.update(ended)
    assert store.ongoing() is None
    assert store.get(first.id) == ended
    assert store.count() == 1


def test_those_of_late_are_listed_newest_first_and_one_that_goes_on_is_among_them(store: AnomalyRepository) -> None:
    old = replace(SEEN, started_at=10.0, ended_at=20.0)
    ids = [store.add(one) for one in (old, SEEN, replace(SEEN, started_at=2000.0, ended_at=2100.0))]
    assert [one.id for one in store.since(1500.0)] == [ids[2], ids[1]]
    assert [one.id for one in store.since(0.0, limit=1)] == [ids[2]]


def test_the_operator_s_word_is_kept_and_what_is_seen_later_does_not_take_it_back(store: AnomalyRepository) -> None:
    one = replace(SEEN, id=store.add(SEEN))
    assert store.last_verdict_at() is None
    store.set_verdict(one.id, Verdict.EXPECTED, "the backup", 1200.0)
    store.update(replace(one, ended_at=1300.0))
    found = store.get(one.id)
    assert (found.verdict, found.note, found.verdict_at, found.ended_at) == (
        "expected",
        "the backup",
        1200.0,
        1300.0,
    )
    assert store.last_verdict_at() == 1200.0
    with pytest.raises(UnknownAnomalyError, match="no anomaly 99"):
        store.set_verdict(99, Verdict.INCIDENT, None, 1.0)
    with pytest.raises(UnknownAnomalyError, match="no anomaly 99"):
        store.get(99)


def test_peaks_are_of_one_detector_and_the_last_word_on_a_stretch_counts(store: AnomalyRepository) -> None:
    store.replace_peaks(1800.0, "old", {"joint": 1.0, "spike": 2.0})
    store.replace_peaks(3600.0, "old", {"joint": 5.0})
    store.replace_peaks(3600.0, "new", {"joint": 6.0})
    store.replace_peaks(3600.0, "old", {"joint": 4.0})
    assert store.peaks("old", 0.0) == [
        AnomalyPeak(1800.0, "joint", 1.0),
        AnomalyPeak(1800.0, "spike", 2.0),
        AnomalyPeak(3600.0, "joint", 4.0),
    ]
    assert store.peaks("new", 0.0) == [AnomalyPeak(3600.0, "joint", 6.0)]
    assert store.peaks("old", 3601.0) == []
    store.purge_peaks(2000.0)
    assert len(store.peaks("old", 0.0)) == 1


def test_maintenance_ends_when_it_is_ended_and_is_taken_back_before_it_begins(store: AnomalyRepository) -> None:
    now, later = (
        store.add_maintenance_window(MaintenanceWindow(100.0, 200.0, "disks")),
        store.add_maintenance_window(MaintenanceWindow(500, 900)),
    )
    assert store.maintenance_windows(150.0) == [
        MaintenanceWindow(100.0, 200.0, "disks", now),
        MaintenanceWindow(500.0, 900.0, "", later),
    ]
    store.end_maintenance_window(now, 160.0)
    store.end_maintenance_window(later, 160.0)
    assert store.maintenance_windows(150.0) == [MaintenanceWindow(100.0, 160.0, "disks", now)]
    store.end_maintenance_window(now, 190.0)
    assert store.maintenance_windows(155.0)[0].ends_at == 160.0
    with pytest.raises(UnknownAnomalyError, match="no maintenance 99"):
        store.end_maintenance_window(99, 1.0)


def test_another_host_s_anomalies_are_not_seen(database: Database, store: AnomalyRepository) -> None:
    store.add(SEEN)
    assert AnomalyRepository(database, host_id=2).since(0.0) == []

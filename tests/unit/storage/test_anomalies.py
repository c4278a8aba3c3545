"""Anomaly repository."""

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

ANOMALY = AnomalyRecord(
    started_at=1000.0,
    ended_at=None,
    peak=0.9,
    peak_at=1030.0,
    channel="joint",
    contributions={"cpu_usage": 0.75, "disk_busy": 0.25},
    model_id=3,
)


@pytest.fixture
def repository(database: Database) -> AnomalyRepository:
    return AnomalyRepository(database)


def test_anomaly_is_ongoing_until_it_has_an_end(repository: AnomalyRepository) -> None:
    assert repository.ongoing() is None
    anomaly = replace(ANOMALY, id=repository.add(ANOMALY))
    assert repository.ongoing() == repository.get(anomaly.id) == anomaly
    ended = replace(anomaly, ended_at=1600.0, peak=0.99, peak_at=1100.0, contributions={"disk_busy": 1.0})
    repository.update(ended)
    assert repository.ongoing() is None
    assert repository.get(anomaly.id) == ended
    assert repository.count() == 1


def test_since_includes_ongoing_anomalies_newest_first(repository: AnomalyRepository) -> None:
    old = replace(ANOMALY, started_at=10.0, ended_at=20.0)
    recent = replace(ANOMALY, started_at=2000.0, ended_at=2100.0)
    ids = [repository.add(anomaly) for anomaly in (old, ANOMALY, recent)]
    assert [anomaly.id for anomaly in repository.since(1500.0)] == [ids[2], ids[1]]
    assert [anomaly.id for anomaly in repository.since(0.0, limit=1)] == [ids[2]]


def test_update_keeps_the_verdict(repository: AnomalyRepository) -> None:
    anomaly = replace(ANOMALY, id=repository.add(ANOMALY))
    repository.set_verdict(anomaly.id, Verdict.EXPECTED, "the backup", 1200.0)
    repository.update(replace(anomaly, ended_at=1300.0))
    expected = replace(anomaly, ended_at=1300.0, verdict=Verdict.EXPECTED, note="the backup", verdict_at=1200.0)
    assert repository.get(anomaly.id) == expected


def test_last_verdict_at_is_the_time_of_the_newest_verdict(repository: AnomalyRepository) -> None:
    first, second = repository.add(ANOMALY), repository.add(ANOMALY)
    assert repository.last_verdict_at() is None
    repository.set_verdict(first, Verdict.INCIDENT, None, 1200.0)
    repository.set_verdict(second, Verdict.EXPECTED, None, 1100.0)
    assert repository.last_verdict_at() == 1200.0


def test_unknown_anomaly_is_refused(repository: AnomalyRepository) -> None:
    with pytest.raises(UnknownAnomalyError, match="99"):
        repository.set_verdict(99, Verdict.INCIDENT, None, 1.0)
    with pytest.raises(UnknownAnomalyError, match="99"):
        repository.get(99)


def test_peaks_are_replaced_per_interval_and_detector(repository: AnomalyRepository) -> None:
    repository.replace_peaks(1800.0, "old", {"joint": 1.0, "spike": 2.0})
    repository.replace_peaks(3600.0, "old", {"joint": 5.0})
    repository.replace_peaks(3600.0, "new", {"joint": 6.0})
    repository.replace_peaks(3600.0, "old", {"joint": 4.0})
    assert repository.peaks("old", 0.0) == [
        AnomalyPeak(1800.0, "joint", 1.0),
        AnomalyPeak(1800.0, "spike", 2.0),
        AnomalyPeak(3600.0, "joint", 4.0),
    ]
    assert repository.peaks("new", 0.0) == [AnomalyPeak(3600.0, "joint", 6.0)]
    assert repository.peaks("old", 3601.0) == []


def test_purge_peaks_deletes_old_intervals(repository: AnomalyRepository) -> None:
    repository.replace_peaks(1800.0, "old", {"joint": 1.0, "spike": 2.0})
    repository.replace_peaks(3600.0, "old", {"joint": 4.0})
    repository.purge_peaks(2000.0)
    assert repository.peaks("old", 0.0) == [AnomalyPeak(3600.0, "joint", 4.0)]


def test_maintenance_windows_are_listed_until_they_end(repository: AnomalyRepository) -> None:
    current = MaintenanceWindow(100.0, 200.0, "disks")
    planned = MaintenanceWindow(500.0, 900.0)
    windows = [replace(window, id=repository.add_maintenance_window(window)) for window in (current, planned)]
    assert repository.maintenance_windows(150.0) == windows
    assert repository.maintenance_windows(200.0) == windows[1:]


def test_end_maintenance_window_never_extends_it(repository: AnomalyRepository) -> None:
    window_id = repository.add_maintenance_window(MaintenanceWindow(100.0, 200.0))
    repository.end_maintenance_window(window_id, 160.0)
    repository.end_maintenance_window(window_id, 190.0)
    assert repository.maintenance_windows(150.0) == [MaintenanceWindow(100.0, 160.0, "", window_id)]


def test_end_maintenance_window_deletes_one_that_has_not_started(repository: AnomalyRepository) -> None:
    window_id = repository.add_maintenance_window(MaintenanceWindow(500.0, 900.0))
    repository.end_maintenance_window(window_id, 160.0)
    assert repository.maintenance_windows(0.0) == []
    with pytest.raises(UnknownAnomalyError):
        repository.end_maintenance_window(window_id, 160.0)


def test_repository_does_not_see_other_hosts(database: Database, repository: AnomalyRepository) -> None:
    repository.add(ANOMALY)
    assert AnomalyRepository(database, host_id=2).since(0.0) == []


def test_purge_between_keeps_verdicts_and_events_that_reach_out_of_the_period(repository: AnomalyRepository) -> None:
    periods = ((1000.0, 1600.0), (900.0, 1600.0), (1000.0, 2600.0), (1000.0, None), (1100.0, 1200.0))
    ids = [repository.add(replace(ANOMALY, started_at=start, ended_at=end)) for start, end in periods]
    repository.set_verdict(ids[-1], Verdict.INCIDENT, None, 3000.0)
    for at in (0.0, 1000.0, 3000.0):
        repository.replace_peaks(at, "d", {"joint": 1.0})
    assert repository.purge_between(1000.0, 2000.0) == 1
    assert {anomaly.id for anomaly in repository.since(0.0)} == set(ids[1:])
    assert [peak.at for peak in repository.peaks("d", 0.0)] == [0.0, 3000.0]


REPLAYED = replace(ANOMALY, ended_at=1300.0, replayed=True)


def test_replayed_anomalies_count_as_no_live_ones(repository: AnomalyRepository) -> None:
    repository.replace_replayed(0.0, 2000.0, [REPLAYED])
    live = replace(ANOMALY, started_at=2000.0)
    repository.add(live)
    assert [anomaly.replayed for anomaly in repository.since(0.0)] == [False, True]
    assert [anomaly.started_at for anomaly in repository.since(0.0, live=True)] == [2000.0]
    assert repository.count() == 1
    assert repository.ongoing() is not None


def test_replay_of_a_period_replaces_its_replayed_anomalies(repository: AnomalyRepository) -> None:
    earlier = replace(REPLAYED, started_at=100.0, ended_at=200.0)
    assert repository.replace_replayed(0.0, 2000.0, [earlier, REPLAYED]) == 2
    moved = replace(REPLAYED, started_at=1100.0)
    assert repository.replace_replayed(500.0, 2000.0, [moved]) == 1
    assert [anomaly.started_at for anomaly in repository.since(0.0)] == [1100.0, 100.0]


def test_replay_keeps_verdicts_and_live_anomalies(repository: AnomalyRepository) -> None:
    repository.replace_replayed(0.0, 2000.0, [REPLAYED])
    (judged,) = repository.since(0.0)
    repository.set_verdict(judged.id, Verdict.INCIDENT, None, 1500.0)
    repository.add(replace(ANOMALY, started_at=400.0, ended_at=500.0))
    overlapping = [replace(REPLAYED, started_at=1200.0), replace(REPLAYED, started_at=450.0, ended_at=600.0)]
    assert repository.replace_replayed(0.0, 2000.0, overlapping) == 0
    assert [anomaly.verdict for anomaly in repository.since(0.0)] == [Verdict.INCIDENT, None]
